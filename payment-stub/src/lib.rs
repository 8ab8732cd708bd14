//! A payment provider that misbehaves on request.
