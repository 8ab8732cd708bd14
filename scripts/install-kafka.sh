#!/bin/sh
# Makes sure that Apache Kafka is there for the tests: one folder of jars outside the clone, from Maven Central.
# No broker needs to run, and none is started here: the tests start their own.
set -eu
cd "$(dirname "$0")"

[ -n "${TEST_KAFKA_BROKERS:-}" ] && exit 0
[ "${KAFKA:-}" = mock ] && exit 0

version=$(cat kafka-version)
folder="${XDG_CACHE_HOME:-$HOME/.cache}/holdfast/kafka-$version"
way_out="or set TEST_KAFKA_BROKERS to brokers that tests may fill, or KAFKA=mock to do without (some things are not shown then)"

# "17.0.15" and "1.8.0" are how Java says 17 and 8.
java_major() {
    java -version 2>&1 | sed -n 's/.*version "\(1\.\)\{0,1\}\([0-9]*\).*/\2/p' | head -n 1
}

major=$(java_major || true)
if [ -z "$major" ] || [ "$major" -lt 17 ]; then
    echo "Kafka $version needs Java 17 or newer on the PATH; found: ${major:-none}. Install a JRE (such as openjdk-17-jre-headless), $way_out." >&2
    exit 1
fi

[ -d "$folder/libs" ] && exit 0

if ! command -v mvn >/dev/null 2>&1; then
    echo "Fetching Kafka $version needs Maven (mvn). Install it (such as the package maven), $way_out." >&2
    exit 1
fi

echo "Kafka $version is missing: fetching it into $folder."
mkdir -p "$(dirname "$folder")"
# Built beside its place and moved there whole: a fetch that was interrupted leaves nothing that looks complete.
new=$(mktemp -d "$folder.XXXXXX")
trap 'rm -rf "$new"' EXIT
trap 'exit 1' HUP INT TERM
cat >"$new/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>holdfast</groupId>
  <artifactId>test-broker</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$version</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
POM
mvn -B -q -f "$new/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$new/libs" || {
    echo "Maven could not fetch Kafka $version (see above). Check its way to Maven Central (~/.m2/settings.xml), $way_out." >&2
    exit 1
}
# Of two that fetched at the same time, the second finds the place taken, which is as good.
mv -T "$new" "$folder" 2>/dev/null || [ -d "$folder/libs" ]
