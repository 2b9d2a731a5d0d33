// SPDX-License-Identifier: GPL-3.0-or-later
#include "vault/vault.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "vault/aead.hpp"
#include "vault/damage.hpp"

namespace syncline::vault {
namespace {

// Kind and field hold no '/', so what is between is the account's name, whatever it holds.
std::string key_entry(const Account& account) {
  return fmt::format("key/{}/{}", account.kind, account.name);
}
std::string secret_entry(const SecretName& name) {
  return fmt::format("secret/{}/{}/{}", name.account.kind, name.account.name, name.field);
}

void append_part(std::string& out, std::string_view part) {
  for (unsigned shift = 32; shift > 0; shift -= 8)
    out.push_back(static_cast<char>(part.size() >> (shift - 8U) & 0xFFU));
  out.append(part);
}

/// Each part with its length: no two places give the same octets. The key's number is in the header, which is
/// authenticated too.
std::string associated_data(const Account& account, std::string_view purpose, std::string_view field) {
  std::string out;
  append_part(out, purpose);
  append_part(out, account.kind);
  append_part(out, account.name);
  append_part(out, field);
  return out;
}
std::string of_data_key(const Account& account) {
  return associated_data(account, "data key", "");
}
std::string of_secret(const SecretName& name) {
  return associated_data(name.account, "secret", name.field);
}

bool usable(std::string_view part) noexcept {
  return !part.empty() && part.find('/') == std::string_view::npos && part.size() <= 64;
}

Result<void> check_account(const Account& account) {
  if (usable(account.kind) && !account.name.empty() && account.name.size() <= 4096) return {};
  return fail(ErrorDomain::input, "bad-secret-name", "A secret needs the kind and the name of its account");
}

Result<void> check_name(const SecretName& name) {
  if (!usable(name.field))
    return fail(ErrorDomain::input, "bad-secret-name", "A secret needs the name of a field");
  return check_account(name.account);
}

/// Whose data key has this name; back from key_entry.
std::optional<Account> account_of(std::string_view key_name) {
  const std::string_view rest = key_name.substr(4);
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  return Account{std::string(rest.substr(0, slash)), std::string(rest.substr(slash + 1))};
}

unexpected<Error> wrong_key() {
  return fail(ErrorDomain::local, "wrong-key",
              "The key does not open this organisation's secrets: they were sealed under another one");
}

/// The data key with its number, of the row `name`.
Result<Secret> unwrapped(const MasterKeys& keys, std::string_view name, std::string_view wrapped) {
  const auto number = key_number_of(wrapped);
  if (!number) return fail(number.error());
  const MasterKey* const master = keys.find(*number);
  if (master == nullptr) return wrong_key();
  const auto account = account_of(name);
  if (!account) return fail(ErrorDomain::local, "bad-sealed", "A data key has a name that is none");
  return open(master->octets(), of_data_key(*account), wrapped);
}

}  // namespace

Result<std::optional<Secret>> Vault::data_key(SealedStorage& storage, const Account& account,
                                              std::uint32_t& number) const {
  auto wrapped = storage.get(key_entry(account));
  if (!wrapped) return fail(std::move(wrapped.error()));
  if (!*wrapped) return std::nullopt;
  auto opened = unwrapped(keys_, key_entry(account), **wrapped);
  if (!opened) return fail(std::move(opened.error()));
  // Four octets of number, then the key.
  const std::string_view octets = opened->reveal();
  if (octets.size() != 4 + key_octets)
    return fail(ErrorDomain::local, "bad-sealed", "A data key has a wrong length");
  number = 0;
  for (std::size_t i = 0; i < 4; ++i) number = number << 8U | static_cast<unsigned char>(octets[i]);
  return Secret(octets.substr(4));
}

Result<std::optional<Secret>> Vault::get(SealedStorage& storage, const SecretName& name) const {
  if (auto good = check_name(name); !good) return fail(std::move(good.error()));
  auto sealed = storage.get(secret_entry(name));
  if (!sealed) return fail(std::move(sealed.error()));
  if (!*sealed) return std::nullopt;
  std::uint32_t number = 0;
  auto key = data_key(storage, name.account, number);
  if (!key) return fail(std::move(key.error()));
  const auto wanted = key_number_of(**sealed);
  if (!wanted) return fail(wanted.error());
  if (!*key || *wanted != number) {
    return fail(ErrorDomain::local, "not-authentic", "A sealed value's data key is gone");
  }
  auto secret = open(**key, of_secret(name), **sealed);
  if (!secret) return fail(std::move(secret.error()));
  return std::move(*secret);
}

Result<void> Vault::put(SealedStorage& storage, const SecretName& name, const Secret& secret) const {
  if (auto good = check_name(name); !good) return good;
  std::uint32_t number = 0;
  auto key = data_key(storage, name.account, number);
  if (!key) {
    auto damaged = is_damage(*this, storage, key.error());
    if (!damaged) return fail(std::move(damaged.error()));
    if (!*damaged) return fail(std::move(key.error()));
    // What was sealed with it cannot be opened any more, whatever becomes of the row.
    key = std::optional<Secret>();
  }
  if (!*key) {
    std::string octets(4 + key_octets, '\0');
    random_->fill(std::as_writable_bytes(std::span(octets)));
    const Secret numbered(std::move(octets));
    auto wrapped = seal(keys_.current.octets(), keys_.current.number(), of_data_key(name.account),
                        numbered.reveal(), *random_);
    if (!wrapped) return fail(std::move(wrapped.error()));
    if (auto stored = storage.put(key_entry(name.account), *wrapped); !stored) return stored;
    for (std::size_t i = 0; i < 4; ++i)
      number = number << 8U | static_cast<unsigned char>(numbered.reveal()[i]);
    *key = Secret(numbered.reveal().substr(4));
  }
  auto sealed = seal(**key, number, of_secret(name), secret.reveal(), *random_);
  if (!sealed) return fail(std::move(sealed.error()));
  return storage.put(secret_entry(name), *sealed);
}

Result<std::size_t> Vault::rewrap(SealedStorage& storage, std::size_t most) const {
  auto names = storage.list("key/");
  if (!names) return fail(std::move(names.error()));
  std::size_t done = 0;
  for (const std::string& name : *names) {
    if (done == most) break;
    auto wrapped = storage.get(name);
    if (!wrapped) return fail(std::move(wrapped.error()));
    if (!*wrapped || key_number_of(**wrapped) == keys_.current.number()) continue;
    auto plain = unwrapped(keys_, name, **wrapped);
    if (!plain) {
      auto damaged = is_damage(*this, storage, plain.error());
      if (!damaged) return fail(std::move(damaged.error()));
      if (!*damaged) return fail(std::move(plain.error()));
      continue;
    }
    auto anew = seal(keys_.current.octets(), keys_.current.number(), of_data_key(*account_of(name)),
                     plain->reveal(), *random_);
    if (!anew) return fail(std::move(anew.error()));
    if (auto stored = storage.put(name, *anew); !stored) return fail(std::move(stored.error()));
    ++done;
  }
  return done;
}

Result<bool> has_secret(SealedStorage& storage, const SecretName& name) {
  if (auto good = check_name(name); !good) return fail(std::move(good.error()));
  auto sealed = storage.get(secret_entry(name));
  if (!sealed) return fail(std::move(sealed.error()));
  return sealed->has_value();
}

Result<void> remove_secret(SealedStorage& storage, const SecretName& name) {
  if (auto good = check_name(name); !good) return good;
  return storage.remove(secret_entry(name));
}

Result<std::vector<std::string>> secret_fields(SealedStorage& storage, const Account& account) {
  if (auto good = check_account(account); !good) return fail(std::move(good.error()));
  const std::string prefix = fmt::format("secret/{}/{}/", account.kind, account.name);
  auto names = storage.list(prefix);
  if (!names) return fail(std::move(names.error()));
  std::vector<std::string> fields;
  for (const std::string& name : *names) {
    const std::string_view field = std::string_view(name).substr(prefix.size());
    // "a/b" is another account than "a".
    if (field.find('/') == std::string_view::npos) fields.emplace_back(field);
  }
  std::sort(fields.begin(), fields.end());
  return fields;
}

namespace {

bool opens(const MasterKeys& keys, SealedStorage& storage, const std::string& name) {
  const auto wrapped = storage.get(name);
  return wrapped && *wrapped && unwrapped(keys, name, **wrapped);
}

}  // namespace

Result<bool> is_damage(const Vault& vault, SealedStorage& storage, const Error& error) {
  if (error.domain != ErrorDomain::local) return false;
  if (error.code == "bad-sealed" || error.code == "newer-sealed" || error.code == "not-authentic")
    return true;
  if (error.code != "wrong-key") return false;
  auto names = storage.list("key/");
  if (!names) return fail(std::move(names.error()));
  return std::any_of(names->begin(), names->end(),
                     [&](const std::string& name) { return opens(vault.keys(), storage, name); });
}

Result<std::vector<Account>> damaged_accounts(const Vault& vault, SealedStorage& storage) {
  auto names = storage.list("key/");
  if (!names) return fail(std::move(names.error()));
  std::vector<Account> damaged;
  for (const std::string& name : *names)
    if (!opens(vault.keys(), storage, name)) damaged.push_back(account_of(name).value_or(Account{"", name}));
  return damaged;
}

Result<void> forget_account(SealedStorage& storage, const Account& account) {
  auto fields = secret_fields(storage, account);
  if (!fields) return fail(std::move(fields.error()));
  if (auto gone = storage.remove(key_entry(account)); !gone) return gone;
  for (const std::string& field : *fields) {
    if (auto gone = storage.remove(secret_entry({account, field})); !gone) return gone;
  }
  return {};
}

}  // namespace syncline::vault
