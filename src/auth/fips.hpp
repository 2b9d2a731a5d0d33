// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "base/error.hpp"

namespace syncline::auth {

/// For `fips = required`: loads OpenSSL's "fips" provider for the whole process and lets nothing else do
/// cryptography. To be called before the first TLS context and the first secret. Afterwards SaslPolicy::fips
/// must be set. Error (domain local, never): "fips-not-available", which says what OpenSSL says; then nothing
/// was changed and the program must not go on.
Result<void> require_fips_provider();

}  // namespace syncline::auth
