// SPDX-License-Identifier: GPL-3.0-or-later
// Who may approve mailboxes, and as what.
#include <boost/json/array.hpp>

#include "admin/api/call.hpp"
#include "service/organisation/person_roles.hpp"

namespace syncline::admin::api {
namespace {

namespace json = boost::json;

Result<Answer> list(Call& call) {
  auto roles = call.store().read<service::PersonRoles>(service::load_roles);
  if (!roles) return fail(std::move(roles.error()));
  json::array items;
  for (const auto& [person, held] : *roles) {
    json::array words;
    for (const std::string& role : held) words.emplace_back(role);
    items.push_back(json::object{{"person", person}, {"roles", std::move(words)}});
  }
  return page_answer(std::move(items), std::nullopt);
}

Handler change(bool grant) {
  return [grant](Call& call) -> Result<Answer> {
    const auto act = grant ? service::grant_role : service::revoke_role;
    auto changed = act(call.organisation(), call.path("person"), call.path("role"), call.actor());
    if (!changed) return fail(std::move(changed.error()));
    return Answer{.status = 204};
  };
}

}  // namespace

void add_role_routes(std::vector<Route>& routes) {
  routes.push_back({.path = "/roles", .operation = "listRoles", .roles = approvers, .handler = list});
  routes.push_back({.method = Method::put,
                    .path = "/roles/{person}/{role}",
                    .operation = "grantRole",
                    .answers = {204},
                    .handler = change(true)});
  routes.push_back({.method = Method::remove,
                    .path = "/roles/{person}/{role}",
                    .operation = "revokeRole",
                    .answers = {204},
                    .handler = change(false)});
}

}  // namespace syncline::admin::api
