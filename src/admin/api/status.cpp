// SPDX-License-Identifier: GPL-3.0-or-later
// How the organisation and each mailbox are, and what the end of Exchange Web Services will stop.
#include <boost/json/array.hpp>

#include "admin/api/call.hpp"
#include "service/views/readiness_json.hpp"
#include "service/views/status_json.hpp"

namespace syncline::admin::api {
namespace {

namespace json = boost::json;

Result<Answer> show(Call& call) {
  const rules::Day today = call.organisation().today();
  auto status = call.store().read<service::StatusPtr>(
      [&](store::Transaction& transaction) { return service::collect_status(transaction, today); });
  if (!status) return fail(std::move(status.error()));
  // How mailboxes are watched is the daemon's to say.
  auto object = std::make_shared<json::object>(service::to_json(**status, call.now()));
  Answer answer;
  answer.afterwards = [object](Control& control, Answer& made) {
    const json::object watched = control.watched();
    for (json::value& one : object->at("mailboxes").get_array()) {
      json::object& mailbox = one.get_object();
      const json::value* const how = watched.if_contains(mailbox.at("mailbox").get_string());
      mailbox["watched"] = how != nullptr ? *how : json::value(nullptr);
    }
    if (const json::value* const servers = watched.if_contains("servers")) object->at("servers") = *servers;
    made = json_answer(*object);
  };
  return answer;
}

Result<Answer> list_readiness(Call& call) {
  auto stored = call.organisation().load();
  if (!stored) return fail(std::move(stored.error()));
  const rules::Day today = call.organisation().today();
  json::array items;
  for (const service::MailboxReadiness& one : service::readiness(*stored, today))
    items.push_back(service::to_json(one, today, call.language()));
  return page_answer(std::move(items), std::nullopt);
}

}  // namespace

void add_status_routes(std::vector<Route>& routes) {
  routes.push_back({.path = "/status", .operation = "getStatus", .roles = readers, .handler = show});
  routes.push_back({.path = "/readiness",
                    .operation = "listReadiness",
                    .roles = readers,
                    .query = {language_parameter()},
                    .handler = list_readiness});
}

}  // namespace syncline::admin::api
