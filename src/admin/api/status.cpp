// SPDX-License-Identifier: GPL-3.0-or-later
// How the organisation and each mailbox are.
#include "admin/api/call.hpp"
#include "service/views/status_json.hpp"

namespace syncline::admin::api {
namespace {

Result<Answer> show(Call& call) {
  const rules::Day today = call.organisation().today();
  auto status = call.store().read<service::StatusPtr>(
      [&](store::Transaction& transaction) { return service::collect_status(transaction, today); });
  if (!status) return fail(std::move(status.error()));
  return json_answer(service::to_json(**status));
}

}  // namespace

void add_status_routes(std::vector<Route>& routes) {
  routes.push_back({.path = "/status", .operation = "getStatus", .roles = readers, .handler = show});
}

}  // namespace syncline::admin::api
