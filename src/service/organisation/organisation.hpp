// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// An organisation, opened: its folder with the record store and the content store, and its vault, whose key
// is read when it is first needed.
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "service/organisation/secrets.hpp"
#include "service/organisation/stored.hpp"
#include "store/content.hpp"
#include "store/store.hpp"
#include "vault/key_file.hpp"

namespace syncline::service {

struct OrganisationOptions {
  std::string folder;
  std::string key = {};          ///< --key: a file or "fd:N"; empty: where find_key_place looks
  bool key_beside_data = false;  ///< --key-beside-data; later runs remember that `create` was told so
  bool read_only = false;
  store::DurableWrites* durable_writes = nullptr;
};

class Organisation {
 public:
  /// Errors: those of Store::open ("no-store", "newer-schema", "store-damaged", …, domain local),
  /// "bad-key-option" (domain input). `clock` and `random` must outlive it.
  static Result<std::unique_ptr<Organisation>> open(OrganisationOptions options, const Clock& clock,
                                                    Random& random);

  struct Created {
    std::unique_ptr<Organisation> organisation;
    vault::KeyPlace key;
    bool key_is_new = false;  ///< false: one was there, and is used
  };
  /// Makes the folder (mode 0700), the store and, unless there is one, the key. Error "exists" (domain input)
  /// when the folder holds an organisation, "not-empty" when it holds anything else.
  static Result<Created> create(OrganisationOptions options, const std::string& name, const Clock& clock,
                                Random& random);

  store::Store& store() noexcept { return *store_; }
  const Clock& clock() const noexcept { return store_->clock(); }
  Random& random() noexcept { return random_; }
  /// This and vault() may be called by several threads.
  Result<store::ContentStore*> content();

  const vault::KeyPlace& key_place() const noexcept { return key_place_; }
  /// Errors of vault::read_keys. Not within a transaction of its store.
  Result<const vault::Vault*> vault();
  /// Keys: secret_key.
  auth::SecretStore& secrets() noexcept { return secrets_; }

  Result<StoredOrganisation> load();

  /// Today's day in UTC, for the rules.
  rules::Day today() const;

 private:
  Organisation(std::unique_ptr<store::Store> store, vault::KeyPlace key_place, Random& random);
  std::unique_ptr<store::Store> store_;
  std::mutex opening_;  ///< of content and vault, which stay where they are once they are open
  std::optional<store::ContentStore> content_;
  vault::KeyPlace key_place_;
  std::optional<vault::Vault> vault_;
  Random& random_;
  VaultSecretStore secrets_;
};

/// Changes the master key, which must be in a file: a new one beside the old, data keys wrapped anew in short
/// transactions, the old one dropped unless some are damaged (damaged_accounts). Goes on where an earlier
/// call ended. Returns how many data keys it wrapped. Errors: "key-not-writable", those of vault and store.
Result<std::size_t> rotate_master_key(Organisation& organisation);

/// When the key is lost: makes one where there is none, takes the one that is there otherwise, and forgets
/// all that was sealed under the lost one. Returns how many sealed values that were. Errors: "key-is-good"
/// (domain input): the key opens them; "key-not-writable", those of the store.
Result<std::size_t> replace_lost_key(Organisation& organisation);

/// Copies database and content to `target`, which must not exist or be empty; never the key. Error
/// "not-empty" (domain input).
Result<void> backup(Organisation& organisation, const std::string& target);

}  // namespace syncline::service
