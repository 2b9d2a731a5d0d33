// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Sealing secrets of profiles and mailboxes, and forgetting them; each act is an entry of the audit.
#include "base/secret.hpp"
#include "service/organisation/apply.hpp"
#include "vault/vault.hpp"

namespace syncline::service {

class Organisation;

inline constexpr std::size_t secret_limit_octets = std::size_t{1} << 20;

/// `account`: kind "profile" or "mailbox" (address in lower case). Errors (input): "no-profile",
/// "no-mailbox", "bad-secret-kind" (secret_kinds has them), "no-secret" (empty, or over the limit); those of
/// the vault.
Result<void> seal_secret(Organisation& organisation, const vault::Account& account, std::string_view kind,
                         const Secret& secret, const Actor& actor);
/// False: there was none.
Result<bool> forget_secret(Organisation& organisation, const vault::Account& account, std::string_view kind,
                           const Actor& actor);

}  // namespace syncline::service
