use super::*;

fn defaults() -> ConfigArgs {
    ConfigArgs {
        database_url: None,
        inventory_database_url: None,
        order_database_url: None,
        payment_database_url: None,
        kafka_brokers: None,
        data_dir: "./data".to_owned(),
        inventory_addr: "127.0.0.1:8083".to_owned(),
        order_addr: "127.0.0.1:8084".to_owned(),
        payment_addr: "127.0.0.1:8085".to_owned(),
        inventory_url: None,
        payment_url: None,
        payment_deadline_seconds: None,
        saga_mode: "orchestration".to_owned(),
        reservation_ttl_seconds: "900".to_owned(),
        hold_max_seconds: "3600".to_owned(),
        rate_limit_per_second: None,
        rate_limit_exempt: "127.0.0.0/8,::1".to_owned(),
        rust_log: None,
        log_format: "text".to_owned(),
    }
}

fn refused(args: &ConfigArgs) -> String {
    Settings::check(args).unwrap_err().to_string()
}

#[test]
fn the_defaults_are_accepted() {
    let settings = Settings::check(&defaults()).unwrap();
    assert_eq!(settings.hold_ttl, Duration::from_secs(900));
    assert_eq!(settings.hold_ttl_max, Duration::from_secs(3_600));
    assert_eq!(settings.inventory_database, None);
}

#[test]
fn a_wrong_value_is_named_and_the_message_says_what_to_change() {
    let cases: [(&str, ConfigArgs); 14] = [
        ("ORDER_ADDR", ConfigArgs { order_addr: "x".to_owned(), ..defaults() }),
        ("INVENTORY_URL", ConfigArgs { inventory_url: Some("here".to_owned()), ..defaults() }),
        ("SAGA_MODE", ConfigArgs { saga_mode: "both".to_owned(), ..defaults() }),
        ("ORDER_DATABASE_URL", ConfigArgs { order_database_url: Some("x://y".to_owned()), ..defaults() }),
        (
            "PAYMENT_DEADLINE_SECONDS",
            ConfigArgs { payment_deadline_seconds: Some("900".to_owned()), ..defaults() },
        ),
        ("HOLD_MAX_SECONDS", ConfigArgs { hold_max_seconds: "0".to_owned(), ..defaults() }),
        ("RESERVATION_TTL_SECONDS", ConfigArgs { reservation_ttl_seconds: "15m".to_owned(), ..defaults() }),
        ("INVENTORY_ADDR", ConfigArgs { inventory_addr: "8083".to_owned(), ..defaults() }),
        ("RATE_LIMIT_PER_SECOND", ConfigArgs { rate_limit_per_second: Some("0".to_owned()), ..defaults() }),
        ("RATE_LIMIT_EXEMPT", ConfigArgs { rate_limit_exempt: "10.0.0.0/33".to_owned(), ..defaults() }),
        ("LOG_FORMAT", ConfigArgs { log_format: "xml".to_owned(), ..defaults() }),
        ("RUST_LOG", ConfigArgs { rust_log: Some("x=loud".to_owned()), ..defaults() }),
        ("DATABASE_URL", ConfigArgs { database_url: Some("mysql://h/d".to_owned()), ..defaults() }),
        ("DATA_DIR", ConfigArgs { data_dir: " ".to_owned(), ..defaults() }),
    ];
    for (name, args) in cases {
        let message = refused(&args);
        assert!(message.starts_with(name) && message.contains("give "), "{message}");
    }
}

#[test]
fn a_rate_limit_is_off_unless_it_is_set_and_exempts_this_machine() {
    assert_eq!(Settings::check(&defaults()).unwrap().http().rate_limit, None);
    let args = ConfigArgs { rate_limit_per_second: Some("50".to_owned()), ..defaults() };
    let limit = Settings::check(&args).unwrap().http().rate_limit.unwrap();
    let exempt = ["127.0.0.0/8", "::1/128"].map(|net| net.parse().unwrap()).to_vec();
    assert_eq!(limit, RateLimit { per_second: 50.try_into().unwrap(), exempt });
    let args = ConfigArgs { rate_limit_exempt: "10.0.0.7, 10.1.0.0/16,".to_owned(), ..args };
    let exempt = Settings::check(&args).unwrap().rate_limit.unwrap().exempt;
    assert_eq!(exempt, ["10.0.0.7/32".parse().unwrap(), "10.1.0.0/16".parse().unwrap()]);
}

#[test]
fn a_hold_longer_than_the_ceiling_is_refused() {
    let args = ConfigArgs { reservation_ttl_seconds: "3601".to_owned(), ..defaults() };
    assert!(refused(&args).contains("HOLD_MAX_SECONDS, which is 3600"));
    let args = ConfigArgs { reservation_ttl_seconds: "3600".to_owned(), ..defaults() };
    assert!(Settings::check(&args).is_ok());
}

#[test]
fn all_mistakes_are_told_at_once() {
    let args = ConfigArgs { log_format: "x".to_owned(), inventory_addr: "y".to_owned(), ..defaults() };
    let message = refused(&args);
    assert!(
        message.starts_with("2 settings")
            && message.contains("LOG_FORMAT")
            && message.contains("INVENTORY_ADDR")
    );
}

#[test]
fn the_roles_own_database_overrides_the_common_one() {
    let args = ConfigArgs {
        database_url: Some("postgres://a/b".to_owned()),
        inventory_database_url: Some("postgres://c/d".to_owned()),
        ..defaults()
    };
    assert_eq!(Settings::check(&args).unwrap().inventory_database.unwrap().expose(), "postgres://c/d");
}

#[test]
fn an_empty_value_counts_as_not_given() {
    let args = ConfigArgs {
        database_url: Some(String::new()),
        kafka_brokers: Some(" ".to_owned()),
        rust_log: Some(String::new()),
        ..defaults()
    };
    let settings = Settings::check(&args).unwrap();
    assert_eq!(
        (settings.inventory_database, settings.kafka_brokers, settings.log_filter),
        (None, None, None)
    );
}

#[test]
fn what_is_shown_hides_the_password() {
    let args = ConfigArgs { database_url: Some("postgres://me:s3cret@h/d".to_owned()), ..defaults() };
    let settings = Settings::check(&args).unwrap();
    let shown = format!("{:?} {settings:?}", settings.shown());
    assert!(shown.contains("me:***@h") && !shown.contains("s3cret"), "{shown}");
}

#[test]
fn the_others_are_where_they_listen_unless_told_otherwise() {
    let args = ConfigArgs { payment_url: Some("http://pay.example/x".to_owned()), ..defaults() };
    let settings = Settings::check(&args).unwrap();
    assert_eq!(settings.inventory_url, None);
    assert_eq!(settings.payment_url.unwrap().as_str(), "http://pay.example/x");
}

#[test]
fn a_payment_has_less_time_than_the_hold() {
    assert_eq!(Settings::check(&defaults()).unwrap().payment_deadline, Duration::from_secs(600));
    let short = ConfigArgs { reservation_ttl_seconds: "30".to_owned(), ..defaults() };
    assert_eq!(Settings::check(&short).unwrap().payment_deadline, Duration::from_secs(20));
}
