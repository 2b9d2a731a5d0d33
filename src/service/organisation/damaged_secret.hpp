// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "vault/vault.hpp"

namespace syncline::service {

/// Code (domain auth) of VaultSecretStore::get for a secret whose row was changed or damaged. It is its
/// account's trouble, not that of the machine: everybody else's secrets can be opened.
inline constexpr std::string_view secret_damaged = "secret-damaged";

class Organisation;

/// Whose data key in the vault was changed or damaged: what these sign in with has to be set again. With the
/// keys that the key's place holds now.
Result<std::vector<vault::Account>> damaged_accounts(Organisation& organisation);

}  // namespace syncline::service
