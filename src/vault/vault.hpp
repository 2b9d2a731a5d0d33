// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Sealing and opening of secrets: the master key wraps one data key per account, the data key encrypts the
// account's secrets. Every value is bound to its place (kind, account, field, key number) as associated data,
// so that none can be moved to another row.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/random.hpp"
#include "base/secret.hpp"
#include "vault/master_key.hpp"

namespace syncline::vault {

/// Octets by name; what is put there is sealed already. Whoever implements it makes the calls of one vault
/// function one unit of work: all or nothing.
class SealedStorage {
 public:
  virtual ~SealedStorage() = default;
  virtual Result<std::optional<std::string>> get(std::string_view name) = 0;
  virtual Result<void> put(std::string_view name, std::string_view octets) = 0;
  virtual Result<void> remove(std::string_view name) = 0;
  virtual Result<std::vector<std::string>> list(std::string_view prefix) = 0;
};

/// Whose secrets: kind ("profile", "mailbox"; no '/') and name.
struct Account {
  std::string kind;
  std::string name;
  friend bool operator==(const Account&, const Account&) = default;
};

/// One secret of an account: "password", "client-secret", "certificate", "token" (no '/').
struct SecretName {
  Account account;
  std::string field;
  friend bool operator==(const SecretName&, const SecretName&) = default;
};

class Vault {
 public:
  /// `random` must outlive the vault and be fit for keys (system_random).
  Vault(MasterKeys keys, Random& random) : keys_(std::move(keys)), random_(&random) {}

  /// Errors (domain local) of all: "wrong-key" when the account's data key is wrapped by neither master key;
  /// "not-authentic" when a value was changed or moved; those of aead.hpp and of the storage.
  /// "bad-secret-name" (domain input) for an empty name or a '/' in kind or field.
  Result<std::optional<Secret>> get(SealedStorage& storage, const SecretName& name) const;
  /// Makes the account's data key if there is none.
  Result<void> put(SealedStorage& storage, const SecretName& name, const Secret& secret) const;

  /// Wraps anew, with the current master key, at most `most` data keys that another one wraps; returns how
  /// many. 0: the previous key opens nothing more. Damaged ones (damage.hpp) stay as they are.
  Result<std::size_t> rewrap(SealedStorage& storage, std::size_t most) const;

  const MasterKeys& keys() const noexcept { return keys_; }

 private:
  Result<std::optional<Secret>> data_key(SealedStorage& storage, const Account& account,
                                         std::uint32_t& number) const;
  MasterKeys keys_;
  Random* random_;
};

// These need no key.
/// Whether something is sealed there; not whether it can be opened.
Result<bool> has_secret(SealedStorage& storage, const SecretName& name);
Result<void> remove_secret(SealedStorage& storage, const SecretName& name);
/// Deletes the data key, which destroys all secrets of the account, those in old copies of the database too
/// as long as their copy of the data key is gone; then the sealed values.
Result<void> forget_account(SealedStorage& storage, const Account& account);
/// Fields that have a secret, sorted.
Result<std::vector<std::string>> secret_fields(SealedStorage& storage, const Account& account);

}  // namespace syncline::vault
