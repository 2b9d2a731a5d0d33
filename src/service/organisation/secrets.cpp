// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/organisation/secrets.hpp"

#include <fmt/format.h>

#include "service/organisation/damaged_secret.hpp"
#include "vault/damage.hpp"

namespace syncline::service {
namespace {

unexpected<Error> bad_name() {
  return fail(ErrorDomain::input, "bad-secret-name",
              "A secret is named by kind, account and field: mailbox/ADDRESS/token");
}

Error damaged(const vault::SecretName& name, const Error& why) {
  const bool is_sign_in = name.field == "token";
  return {.domain = ErrorDomain::auth,
          .code = std::string(secret_damaged),
          .message = fmt::format(
              "the {} of {} {} in the vault cannot be opened, it was changed or damaged: {}",
              is_sign_in ? "sign-in" : name.field, name.account.kind, name.account.name, why.message)};
}

}  // namespace

std::string secret_key(const vault::SecretName& name) {
  return name.account.kind + "/" + name.account.name + "/" + name.field;
}

std::optional<vault::SecretName> parse_secret_key(std::string_view key) {
  const std::size_t first = key.find('/');
  const std::size_t last = key.rfind('/');
  if (first == std::string_view::npos || last <= first + 1 || first == 0 || last + 1 == key.size())
    return std::nullopt;
  return vault::SecretName{
      {std::string(key.substr(0, first)), std::string(key.substr(first + 1, last - first - 1))},
      std::string(key.substr(last + 1))};
}

Result<std::optional<std::string>> SealedRows::get(std::string_view name) {
  return store::find_sealed(transaction_, name);
}
Result<void> SealedRows::put(std::string_view name, std::string_view octets) {
  return store::put_sealed(transaction_, name, octets);
}
Result<void> SealedRows::remove(std::string_view name) {
  return store::delete_sealed(transaction_, name);
}
Result<std::vector<std::string>> SealedRows::list(std::string_view prefix) {
  return store::list_sealed(transaction_, prefix);
}

Result<std::optional<Secret>> VaultSecretStore::get(std::string_view key) {
  const auto name = parse_secret_key(key);
  if (!name) return bad_name();
  const auto vault = open_vault_();
  if (!vault) return fail(vault.error());
  using Opened = std::optional<Secret>;
  return store_.read<Opened>([&](store::Transaction& transaction) -> Result<Opened> {
    SealedRows rows(transaction);
    auto secret = (*vault)->get(rows, *name);
    if (secret) return secret;
    auto is_damaged = vault::is_damage(**vault, rows, secret.error());
    if (!is_damaged) return fail(std::move(is_damaged.error()));
    if (!*is_damaged) return secret;
    return fail(damaged(*name, secret.error()));
  });
}

Result<void> VaultSecretStore::put(std::string_view key, const Secret& secret) {
  const auto name = parse_secret_key(key);
  if (!name) return bad_name();
  const auto vault = open_vault_();
  if (!vault) return fail(vault.error());
  return store_.write<void>([&](store::Transaction& transaction) {
    SealedRows rows(transaction);
    return (*vault)->put(rows, *name, secret);
  });
}

}  // namespace syncline::service
