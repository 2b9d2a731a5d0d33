// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/organisation/stored.hpp"

#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/text.hpp"
#include "service/organisation/setting_values.hpp"

namespace syncline::service {
namespace {

namespace json = boost::json;

unexpected<Error> damaged(std::string_view what, std::string_view why) {
  return fail(ErrorDomain::local, "store-damaged",
              fmt::format("{} in the store cannot be read: {}", what, why));
}

Result<json::object> parse(std::string_view text, std::string_view what) {
  json::error_code error;
  json::value value = json::parse(text, error);
  if (error || !value.is_object()) return damaged(what, error ? error.message() : "it is no object");
  return std::move(value.get_object());
}

/// Names ordered as the settings are, so that equal values give equal octets.
template <class Owner>
Result<Owner> read_owner(const Settings<Owner>& settings, const json::object& object, std::string_view what) {
  Owner owner{};
  if (Wrong wrong = from_object(settings, object, owner)) return damaged(what, *wrong);
  return owner;
}

json::object approval_to_object(const model::Approval& approval) {
  json::object object{{"status", model::word_of(approval.status)}};
  if (!approval.by.empty()) object.emplace("by", approval.by);
  if (approval.at) object.emplace("at", print_setting_time(*approval.at));
  if (!approval.reason.empty()) object.emplace("reason", approval.reason);
  if (!approval.role.empty()) object.emplace("role", approval.role);
  return object;
}

Result<model::Approval> approval_from(const json::object& object, std::string_view what) {
  model::Approval approval;
  for (const auto& [key, value] : object) {
    const auto* text = value.if_string();
    if (text == nullptr) return damaged(what, "its approval");
    const std::string_view view(*text);
    if (key == "status") {
      const auto status = model::from_word<model::ApprovalStatus>(view);
      if (!status) return damaged(what, "its approval");
      approval.status = *status;
    } else if (key == "by") {
      approval.by = view;
    } else if (key == "at") {
      approval.at = parse_setting_time(view);
    } else if (key == "reason") {
      approval.reason = view;
    } else if (key == "role") {
      approval.role = view;
    }
  }
  return approval;
}

Result<void> load_mailbox(const store::MailboxRow& row, StoredOrganisation& stored) {
  const std::string what = "mailbox " + row.address;
  auto object = parse(row.json, what);
  if (!object) return fail(std::move(object.error()));
  const auto* settings = object->if_contains("settings");
  const auto* approval = object->if_contains("approval");
  if (settings == nullptr || !settings->is_object() || approval == nullptr || !approval->is_object())
    return damaged(what, "its settings");
  auto mailbox = read_owner(mailbox_settings(), settings->get_object(), what);
  if (!mailbox) return fail(std::move(mailbox.error()));
  auto approved = approval_from(approval->get_object(), what);
  if (!approved) return fail(std::move(approved.error()));
  stored.mailboxes[row.address] = {row.id, row.enabled, std::move(*approved), row.state};
  stored.configuration.mailboxes.push_back(std::move(*mailbox));
  return {};
}

}  // namespace

Result<std::optional<std::string>> enabled_mailbox_owner(store::Transaction& transaction,
                                                         std::string_view address) {
  auto row = store::find_mailbox(transaction, address);
  if (!row) return fail(std::move(row.error()));
  if (!*row || !(*row)->enabled) return std::nullopt;
  StoredOrganisation one;
  if (auto loaded = load_mailbox(**row, one); !loaded) return fail(std::move(loaded.error()));
  return text::to_lower_ascii(one.configuration.mailboxes.front().record_owner());
}

bool StoredOrganisation::has_secret(std::string_view account_kind, std::string_view account,
                                    std::string_view field) const {
  return sealed.contains(fmt::format("secret/{}/{}/{}", account_kind, account, field));
}

Result<StoredOrganisation> load(store::Transaction& transaction) {
  StoredOrganisation stored;
  Configuration& configuration = stored.configuration;
  auto organisation = store::find_setting(transaction, "organisation");
  if (!organisation) return fail(std::move(organisation.error()));
  if (*organisation) {
    auto object = parse(**organisation, "organisation");
    if (!object) return fail(std::move(object.error()));
    auto settings = read_owner(organisation_settings(), *object, "organisation");
    if (!settings) return fail(std::move(settings.error()));
    configuration.organisation = std::move(*settings);
  }
  auto policies = store::find_setting(transaction, "policies");
  if (!policies) return fail(std::move(policies.error()));
  if (*policies) {
    auto object = parse(**policies, "policies");
    if (!object) return fail(std::move(object.error()));
    if (Wrong wrong = policies_from_object(*object, configuration.policies))
      return damaged("policies", *wrong);
  }
  auto defaults = store::find_setting(transaction, "defaults");
  if (!defaults) return fail(std::move(defaults.error()));
  if (*defaults) {
    auto object = parse(**defaults, "defaults");
    if (!object) return fail(std::move(object.error()));
    model::Mailbox scratch;
    if (Wrong wrong = from_object(default_settings(), *object, scratch)) return damaged("defaults", *wrong);
    configuration.defaults = std::move(*object);
  }
  auto profiles = store::list_profiles(transaction);
  if (!profiles) return fail(std::move(profiles.error()));
  for (const store::ProfileRow& row : *profiles) {
    auto object = parse(row.json, "profile " + row.name);
    if (!object) return fail(std::move(object.error()));
    auto profile = read_owner(profile_settings(), *object, "profile " + row.name);
    if (!profile) return fail(std::move(profile.error()));
    stored.profiles[row.name] = row.id;
    configuration.profiles.push_back(std::move(*profile));
  }
  auto mailboxes = store::list_mailboxes(transaction);
  if (!mailboxes) return fail(std::move(mailboxes.error()));
  for (const store::MailboxRow& row : *mailboxes) {
    if (auto loaded = load_mailbox(row, stored); !loaded) return fail(std::move(loaded.error()));
  }
  auto sealed = store::list_sealed(transaction, "secret/");
  if (!sealed) return fail(std::move(sealed.error()));
  stored.sealed.insert(sealed->begin(), sealed->end());
  return stored;
}

Result<void> save_organisation(store::Transaction& transaction, const OrganisationSettings& settings) {
  return store::put_setting(transaction, "organisation",
                            json::serialize(to_object(organisation_settings(), settings)));
}

Result<void> save_policies(store::Transaction& transaction, const model::Policies& policies) {
  return store::put_setting(transaction, "policies", json::serialize(policies_to_object(policies)));
}

Result<void> save_defaults(store::Transaction& transaction, const json::object& defaults) {
  return store::put_setting(transaction, "defaults", json::serialize(defaults));
}

Result<std::int64_t> save_profile(store::Transaction& transaction, const model::Profile& profile,
                                  std::int64_t id) {
  return store::put_profile(transaction,
                            {id, profile.name, json::serialize(to_object(profile_settings(), profile))});
}

Result<store::MailboxId> save_mailbox(store::Transaction& transaction, const model::Mailbox& mailbox,
                                      const MailboxStanding& standing, std::int64_t profile) {
  const json::object object{{"settings", to_object(mailbox_settings(), mailbox)},
                            {"approval", approval_to_object(standing.approval)}};
  return store::put_mailbox(transaction, {standing.id, mailbox.address, profile, standing.enabled,
                                          json::serialize(object), standing.state});
}

}  // namespace syncline::service
