// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Sealed values that were changed, moved or cut: whose trouble that is.
#include "vault/vault.hpp"

namespace syncline::vault {

/// Whether an error of Vault::get is one account's or one value's alone: everybody else's secrets can be
/// opened, and Vault::put makes the account a new data key. "wrong-key" is that, if the master key opens any
/// other account. Errors: those of the storage.
Result<bool> is_damage(const Vault& vault, SealedStorage& storage, const Error& error);

/// Whose data key cannot be opened, by name: all that was sealed with it is lost, until it is set again or
/// the row comes back from a backup. Errors: those of the storage.
Result<std::vector<Account>> damaged_accounts(const Vault& vault, SealedStorage& storage);

}  // namespace syncline::vault
