// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/organisation/organisation.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>

#include "service/organisation/damaged_secret.hpp"
#include "vault/damage.hpp"
#include "vault/hardening.hpp"

namespace syncline::service {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view key_setting = "key";
constexpr std::string_view key_beside_json = R"({"beside":true})";

bool is_empty_or_absent(const fs::path& folder) {
  std::error_code error;
  return !fs::exists(folder, error) || (fs::is_directory(folder, error) && fs::is_empty(folder, error));
}

Result<void> make_private_folder(const fs::path& folder) {
  std::error_code error;
  if (folder.has_parent_path()) fs::create_directories(folder.parent_path(), error);
  if (error || (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)) {
    const std::string why = error ? error.message() : std::strerror(errno);
    return fail(ErrorDomain::local, "io",
                fmt::format("Making the folder {} failed: {}", folder.string(), why));
  }
  return {};
}

}  // namespace

Organisation::Organisation(std::unique_ptr<store::Store> store, vault::KeyPlace key_place, Random& random)
    : store_(std::move(store)),
      key_place_(std::move(key_place)),
      random_(random),
      secrets_(*store_, [this] { return vault(); }) {}

Result<std::unique_ptr<Organisation>> Organisation::open(OrganisationOptions options, const Clock& clock,
                                                         Random& random) {
  store::StoreOptions store_options;
  store_options.read_only = options.read_only;
  store_options.durable_writes = options.durable_writes;
  auto store = store::Store::open(options.folder, clock, random, store_options);
  if (!store) return fail(std::move(store.error()));
  auto remembered = (*store)->read<std::optional<std::string>>(
      [](store::Transaction& transaction) { return store::find_setting(transaction, key_setting); });
  if (!remembered) return fail(std::move(remembered.error()));
  const bool beside = options.key_beside_data || (*remembered && **remembered == key_beside_json);
  auto place =
      vault::find_key_place({options.key, beside, options.folder}, vault::KeySurroundings::of_this_process());
  if (!place) return fail(std::move(place.error()));
  return std::unique_ptr<Organisation>(new Organisation(std::move(*store), std::move(*place), random));
}

Result<Organisation::Created> Organisation::create(OrganisationOptions options, const std::string& name,
                                                   const Clock& clock, Random& random) {
  const fs::path folder(options.folder);
  std::error_code error;
  if (fs::exists(folder / "syncline.db", error)) {
    return fail(ErrorDomain::input, "exists",
                fmt::format("{} holds an organisation already", options.folder));
  }
  if (!is_empty_or_absent(folder)) {
    return fail(ErrorDomain::input, "not-empty",
                fmt::format("{} is there and not an empty folder", options.folder));
  }
  auto place = vault::find_key_place({options.key, options.key_beside_data, options.folder},
                                     vault::KeySurroundings::of_this_process());
  if (!place) return fail(std::move(place.error()));
  vault::forbid_memory_dumps();
  // The key first: an organisation without one is of no use. What is there is used, so that a key may be
  // prepared.
  auto keys = vault::read_keys(*place);
  const bool key_is_new =
      !keys && keys.error().code == "no-key" && place->kind == vault::KeyPlace::Kind::file;
  if (!keys && !key_is_new) return fail(std::move(keys.error()));
  if (auto made = make_private_folder(folder); !made) return fail(std::move(made.error()));
  if (key_is_new) {
    if (auto written = vault::write_keys(*place, {vault::MasterKey::generate(random)}); !written)
      return fail(std::move(written.error()));
  }
  store::StoreOptions store_options;
  store_options.create = true;
  store_options.durable_writes = options.durable_writes;
  auto store = store::Store::open(options.folder, clock, random, store_options);
  if (!store) return fail(std::move(store.error()));
  auto saved = (*store)->write<void>([&](store::Transaction& transaction) -> Result<void> {
    OrganisationSettings settings;
    settings.name = name;
    if (auto done = save_organisation(transaction, settings); !done) return done;
    if (!options.key_beside_data) return {};
    return store::put_setting(transaction, key_setting, key_beside_json);
  });
  if (!saved) return fail(std::move(saved.error()));
  Created created;
  created.key = *place;
  created.key_is_new = key_is_new;
  created.organisation.reset(new Organisation(std::move(*store), std::move(*place), random));
  auto content = created.organisation->content();
  if (!content) return fail(std::move(content.error()));
  return created;
}

Result<store::ContentStore*> Organisation::content() {
  const std::lock_guard lock(opening_);
  if (!content_) {
    auto opened = store::ContentStore::open(*store_);
    if (!opened) return fail(std::move(opened.error()));
    content_.emplace(std::move(*opened));
  }
  return &*content_;
}

Result<const vault::Vault*> Organisation::vault() {
  const std::lock_guard lock(opening_);
  if (!vault_) {
    vault::forbid_memory_dumps();
    auto keys = vault::read_keys(key_place_);
    if (!keys) return fail(std::move(keys.error()));
    vault_.emplace(std::move(*keys), random_);
  }
  return &*vault_;
}

Result<StoredOrganisation> Organisation::load() {
  return store_->read<StoredOrganisation>(
      [](store::Transaction& transaction) { return service::load(transaction); });
}

rules::Day Organisation::today() const {
  return std::chrono::floor<std::chrono::days>(clock().now()).time_since_epoch().count();
}

Result<std::size_t> rotate_master_key(Organisation& organisation) {
  constexpr std::size_t batch = 200;
  auto found = vault::read_keys(organisation.key_place());
  if (!found) return fail(std::move(found.error()));
  vault::MasterKeys keys = std::move(*found);
  // Two keys: an earlier rotation did not come to its end.
  if (!keys.previous) {
    keys = {vault::MasterKey::generate(organisation.random()), std::move(keys.current)};
    if (auto written = vault::write_keys(organisation.key_place(), keys); !written)
      return fail(std::move(written.error()));
  }
  const vault::Vault both(keys, organisation.random());
  std::size_t wrapped = 0;
  for (;;) {
    auto done = organisation.store().write<std::size_t>([&](store::Transaction& transaction) {
      SealedRows rows(transaction);
      return both.rewrap(rows, batch);
    });
    if (!done) return fail(std::move(done.error()));
    if (*done == 0) break;
    wrapped += *done;
  }
  // A row that comes back from a backup, or has only an octet to be mended, wants the key it was sealed with;
  // with neither key left that opens anything, a damaged row could not be told from a lost key.
  auto damaged = damaged_accounts(organisation);
  if (!damaged) return fail(std::move(damaged.error()));
  if (!damaged->empty()) return wrapped;
  keys.previous.reset();
  if (auto written = vault::write_keys(organisation.key_place(), keys); !written)
    return fail(std::move(written.error()));
  return wrapped;
}

Result<std::vector<vault::Account>> damaged_accounts(Organisation& organisation) {
  auto keys = vault::read_keys(organisation.key_place());
  if (!keys) return fail(std::move(keys.error()));
  const vault::Vault vault(std::move(*keys), organisation.random());
  return organisation.store().read<std::vector<vault::Account>>([&](store::Transaction& transaction) {
    SealedRows rows(transaction);
    return vault::damaged_accounts(vault, rows);
  });
}

Result<std::size_t> replace_lost_key(Organisation& organisation) {
  auto keys = vault::read_keys(organisation.key_place());
  if (!keys && keys.error().code != "no-key") return fail(std::move(keys.error()));
  if (!keys) {
    keys = vault::MasterKeys{vault::MasterKey::generate(organisation.random())};
    if (auto written = vault::write_keys(organisation.key_place(), *keys); !written)
      return fail(std::move(written.error()));
  }
  const vault::Vault present(*keys, organisation.random());
  return organisation.store().write<std::size_t>([&](store::Transaction& transaction) -> Result<std::size_t> {
    SealedRows rows(transaction);
    auto names = rows.list("");
    if (!names) return fail(std::move(names.error()));
    const auto opened = present.rewrap(rows, names->size());
    if (opened)
      return fail(ErrorDomain::input, "key-is-good",
                  fmt::format("{} opens what is sealed; `key rotate` changes it and loses nothing",
                              organisation.key_place().describe()));
    if (opened.error().code != "wrong-key") return fail(opened.error());
    for (const std::string& name : *names)
      if (auto removed = rows.remove(name); !removed) return fail(std::move(removed.error()));
    return names->size();
  });
}

Result<void> backup(Organisation& organisation, const std::string& target) {
  if (!is_empty_or_absent(target)) {
    return fail(ErrorDomain::input, "not-empty", fmt::format("{} is there and not an empty folder", target));
  }
  auto content = organisation.content();
  if (!content) return fail(std::move(content.error()));
  if (auto made = make_private_folder(target); !made) return made;
  if (auto copied = organisation.store().backup(target); !copied) return copied;
  return (*content)->backup(target);
}

}  // namespace syncline::service
