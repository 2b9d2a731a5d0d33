// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/organisation/difference.hpp"

#include <map>

namespace syncline::service {
namespace {

namespace json = boost::json;

template <class Owner>
void compare(const Settings<Owner>& settings, const Owner& from, const Owner& to, ObjectChange change,
             std::vector<ObjectChange>& out) {
  for (const auto& setting : settings) {
    json::value before = setting.get(from);
    json::value after = setting.get(to);
    if (before != after)
      change.fields.push_back({std::string(setting.key), std::move(before), std::move(after)});
  }
  if (!change.fields.empty()) out.push_back(std::move(change));
}

/// Of settings that are kept as JSON.
template <class Owner>
void compare_objects(std::string_view name, const Settings<Owner>& settings, const json::object& from,
                     const json::object& to, std::vector<ObjectChange>& out) {
  ObjectChange change{ObjectChange::Action::change, std::string(name), "", {}};
  const auto value_of = [](const json::object& object, std::string_view key) {
    const json::value* value = object.if_contains(key);
    return value == nullptr ? json::value() : *value;
  };
  for (const auto& setting : settings) {
    json::value before = value_of(from, setting.key);
    json::value after = value_of(to, setting.key);
    if (before != after)
      change.fields.push_back({std::string(setting.key), std::move(before), std::move(after)});
  }
  if (!change.fields.empty()) out.push_back(std::move(change));
}

template <class Owner>
std::vector<FieldChange> all_of(const Settings<Owner>& settings, const Owner& owner, bool removed) {
  std::vector<FieldChange> fields;
  for (const auto& setting : settings) {
    json::value value = setting.get(owner);
    if (value.is_null()) continue;
    FieldChange& field = fields.emplace_back(FieldChange{std::string(setting.key), nullptr, nullptr});
    (removed ? field.from : field.to) = std::move(value);
  }
  return fields;
}

template <class Owner, class Name>
void compare_lists(std::string_view object, const Settings<Owner>& settings, const std::vector<Owner>& from,
                   const std::vector<Owner>& to, Name name, std::vector<ObjectChange>& out) {
  std::map<std::string_view, const Owner*> before;
  for (const Owner& one : from) before[name(one)] = &one;
  std::map<std::string_view, const Owner*> after;
  for (const Owner& one : to) {
    after[name(one)] = &one;
    const auto found = before.find(name(one));
    if (found == before.end()) {
      out.push_back(
          {ObjectChange::Action::add, std::string(object), name(one), all_of(settings, one, false)});
    } else {
      compare(settings, *found->second, one,
              {ObjectChange::Action::change, std::string(object), name(one), {}}, out);
    }
  }
  for (const Owner& one : from) {
    if (!after.contains(name(one)))
      out.push_back(
          {ObjectChange::Action::remove, std::string(object), name(one), all_of(settings, one, true)});
  }
}

}  // namespace

std::string_view to_string(ObjectChange::Action action) noexcept {
  switch (action) {
    case ObjectChange::Action::add:
      return "add";
    case ObjectChange::Action::change:
      return "change";
    case ObjectChange::Action::remove:
      return "remove";
  }
  return {};
}

std::vector<ObjectChange> difference(const Configuration& from, const Configuration& to) {
  std::vector<ObjectChange> out;
  compare(organisation_settings(), from.organisation, to.organisation,
          {ObjectChange::Action::change, "organisation", "", {}}, out);
  for (const PolicySection& section : policy_sections()) {
    compare(section.settings, from.policies, to.policies,
            {ObjectChange::Action::change, "policy." + std::string(section.name), "", {}}, out);
  }
  compare_objects("defaults", default_settings(), from.defaults, to.defaults, out);
  compare_lists(
      "profile", profile_settings(), from.profiles, to.profiles,
      [](const model::Profile& profile) -> const std::string& { return profile.name; }, out);
  compare_lists(
      "mailbox", mailbox_settings(), from.mailboxes, to.mailboxes,
      [](const model::Mailbox& mailbox) -> const std::string& { return mailbox.address; }, out);
  return out;
}

}  // namespace syncline::service
