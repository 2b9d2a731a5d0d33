// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The vault bound to the store: sealed values are rows of the database, written in one transaction.
#include <functional>
#include <string>
#include <string_view>

#include "auth/secret_store.hpp"
#include "store/configuration.hpp"
#include "vault/vault.hpp"

namespace syncline::service {

/// Kinds of secrets that `syncline secret set` knows.
inline constexpr std::string_view secret_kinds[] = {"password",    "out-password",    "client-secret",
                                                    "certificate", "service-account", "token"};

/// The key of a secret in a SecretStore: "mailbox/ana@contoso.example/token".
std::string secret_key(const vault::SecretName& name);
/// Back; nullopt for what is no such key.
std::optional<vault::SecretName> parse_secret_key(std::string_view key);

class SealedRows final : public vault::SealedStorage {
 public:
  explicit SealedRows(store::Transaction& transaction) : transaction_(transaction) {}
  Result<std::optional<std::string>> get(std::string_view name) override;
  Result<void> put(std::string_view name, std::string_view octets) override;
  Result<void> remove(std::string_view name) override;
  Result<std::vector<std::string>> list(std::string_view prefix) override;

 private:
  store::Transaction& transaction_;
};

/// Keys as secret_key makes them; another one is error "bad-secret-name" (input). Each call is a transaction
/// of its own: not to be used within another one.
class VaultSecretStore final : public auth::SecretStore {
 public:
  using OpenVault = std::function<Result<const vault::Vault*>()>;
  VaultSecretStore(store::Store& store, OpenVault open_vault)
      : store_(store), open_vault_(std::move(open_vault)) {}
  Result<std::optional<Secret>> get(std::string_view key) override;
  Result<void> put(std::string_view key, const Secret& secret) override;

 private:
  store::Store& store_;
  OpenVault open_vault_;
};

}  // namespace syncline::service
