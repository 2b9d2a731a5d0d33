// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/organisation/person_roles.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "service/organisation/organisation.hpp"
#include "store/configuration.hpp"
#include "store/journal.hpp"

namespace syncline::service {
namespace {

namespace json = boost::json;

constexpr std::string_view setting_name = "roles";

bool is_role(std::string_view word) {
  return std::find(std::begin(approver_roles), std::end(approver_roles), word) != std::end(approver_roles);
}

Result<void> save_roles(store::Transaction& transaction, const PersonRoles& roles) {
  json::object object;
  for (const auto& [person, held] : roles) {
    json::array list;
    for (const std::string& role : held) list.emplace_back(role);
    object[person] = std::move(list);
  }
  return store::put_setting(transaction, setting_name, json::serialize(object));
}

/// `edit` says whether it changed anything.
Result<bool> change_roles(Organisation& organisation, const std::string& person, std::string_view role,
                          const Actor& actor, std::string_view act,
                          bool (*edit)(std::set<std::string>&, std::string)) {
  if (!is_role(role)) return fail(ErrorDomain::input, "bad-role", "there is no role " + std::string(role));
  if (person.empty()) return fail(ErrorDomain::input, "bad-person", "a role needs a person who holds it");
  return organisation.store().write<bool>([&](store::Transaction& transaction) -> Result<bool> {
    auto roles = load_roles(transaction);
    if (!roles) return fail(std::move(roles.error()));
    if (!edit((*roles)[person], std::string(role))) return false;
    if ((*roles)[person].empty()) roles->erase(person);
    if (auto saved = save_roles(transaction, *roles); !saved) return fail(std::move(saved.error()));
    auto audited = store::append_audit(transaction, {.who = actor.who,
                                                     .act = std::string(act),
                                                     .object = "person " + person + ": " + std::string(role),
                                                     .reason = actor.reason});
    if (!audited) return fail(std::move(audited.error()));
    return true;
  });
}

}  // namespace

Result<PersonRoles> load_roles(store::Transaction& transaction) {
  auto setting = store::find_setting(transaction, setting_name);
  if (!setting) return fail(std::move(setting.error()));
  PersonRoles roles;
  if (!*setting) return roles;
  boost::system::error_code bad;
  const json::value value = json::parse(**setting, bad);
  if (bad || !value.is_object())
    return fail(ErrorDomain::local, "store-damaged", "the roles in the store cannot be read");
  for (const auto& [person, list] : value.get_object()) {
    if (!list.is_array()) continue;
    for (const json::value& role : list.get_array())
      if (role.is_string()) roles[std::string(person)].insert(std::string(role.get_string()));
  }
  return roles;
}

Result<bool> grant_role(Organisation& organisation, const std::string& person, std::string_view role,
                        const Actor& actor) {
  return change_roles(
      organisation, person, role, actor, "role.grant",
      [](std::set<std::string>& held, std::string one) { return held.insert(std::move(one)).second; });
}

Result<bool> revoke_role(Organisation& organisation, const std::string& person, std::string_view role,
                         const Actor& actor) {
  return change_roles(organisation, person, role, actor, "role.revoke",
                      [](std::set<std::string>& held, std::string one) { return held.erase(one) > 0; });
}

}  // namespace syncline::service
