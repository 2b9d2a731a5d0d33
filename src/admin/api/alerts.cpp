// SPDX-License-Identifier: GPL-3.0-or-later
// What needs a person.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "admin/api/call.hpp"
#include "admin/api/visible_mailboxes.hpp"
#include "service/organisation/alert_acts.hpp"
#include "service/views/journal_json.hpp"
#include "store/alert_messages.hpp"

namespace syncline::admin::api {
namespace {

namespace json = boost::json;

Result<Answer> list(Call& call) {
  auto below = call.numbered_position();
  if (!below) return fail(std::move(below.error()));
  return call.store().read<Answer>([&](store::Transaction& transaction) -> Result<Answer> {
    auto visible = visible_mailboxes(transaction, call);
    if (!visible) return fail(std::move(visible.error()));
    auto alerts = store::list_alerts(transaction, !call.flag("all"));
    if (!alerts) return fail(std::move(alerts.error()));
    auto notes = store::list_alert_notes(transaction);
    if (!notes) return fail(std::move(notes.error()));
    // By id, the latest first: the times of open ones move on while somebody turns pages.
    std::sort(alerts->begin(), alerts->end(), [](const auto& a, const auto& b) { return a.id > b.id; });
    json::array items;
    std::optional<std::string> next;
    std::int64_t last = 0;
    for (const store::Alert& alert : *alerts) {
      if (*below != 0 && alert.id >= *below) continue;
      if (!visible->may_see(alert.mailbox)) continue;
      if (items.size() == static_cast<std::size_t>(call.limit())) {
        next = call.cursor(std::to_string(last));
        break;
      }
      const auto note = notes->find(alert.id);
      items.push_back(service::to_json(alert, visible->address_of(alert.mailbox),
                                       note == notes->end() ? nullptr : &note->second));
      last = alert.id;
    }
    return page_answer(std::move(items), next);
  });
}

Result<Answer> acknowledge(Call& call) {
  auto id = call.id();
  if (!id) return fail(std::move(id.error()));
  auto alert = call.store().read<bool>([&](store::Transaction& transaction) -> Result<bool> {
    auto visible = visible_mailboxes(transaction, call);
    if (!visible) return fail(std::move(visible.error()));
    auto alerts = store::list_alerts(transaction, false);
    if (!alerts) return fail(std::move(alerts.error()));
    return std::any_of(alerts->begin(), alerts->end(), [&](const store::Alert& one) {
      return one.id == *id && visible->may_see(one.mailbox);
    });
  });
  if (!alert) return fail(std::move(alert.error()));
  if (!*alert) return fail(ErrorDomain::input, "no-alert", fmt::format("There is no alert {}", *id));
  auto done = service::acknowledge_alerts(call.organisation(), {*id}, call.actor());
  if (!done) return fail(std::move(done.error()));
  return json_answer(json::object{{"id", std::to_string(*id)}, {"acknowledged", !done->empty()}});
}

}  // namespace

void add_alert_routes(std::vector<Route>& routes) {
  routes.push_back({.path = "/alerts",
                    .operation = "listAlerts",
                    .roles = readers | only(store::ApiRole::mailbox_owner),
                    .query = {page_limit(), page_cursor(), flag_parameter("all")},
                    .handler = list});
  routes.push_back({.method = Method::post,
                    .path = "/alerts/{id}/acknowledge",
                    .operation = "acknowledgeAlert",
                    .roles = approvers | only(store::ApiRole::mailbox_owner),
                    .handler = acknowledge});
}

}  // namespace syncline::admin::api
