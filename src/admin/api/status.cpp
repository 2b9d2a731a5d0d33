// SPDX-License-Identifier: GPL-3.0-or-later
// How the organisation and each mailbox are.
#include <boost/json/array.hpp>

#include "admin/api/call.hpp"
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
  auto object = std::make_shared<json::object>(service::to_json(**status));
  Answer answer;
  answer.afterwards = [object](Control& control, Answer& made) {
    const json::object watched = control.watched();
    for (json::value& one : object->at("mailboxes").get_array()) {
      json::object& mailbox = one.get_object();
      const json::value* const how = watched.if_contains(mailbox.at("mailbox").get_string());
      mailbox["watched"] = how != nullptr ? *how : json::value(nullptr);
    }
    made = json_answer(*object);
  };
  return answer;
}

}  // namespace

void add_status_routes(std::vector<Route>& routes) {
  routes.push_back({.path = "/status", .operation = "getStatus", .roles = readers, .handler = show});
}

}  // namespace syncline::admin::api
