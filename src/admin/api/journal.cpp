// SPDX-License-Identifier: GPL-3.0-or-later
// What happened and why: journal, audit, quarantine, the brake.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <limits>
#include <set>

#include "admin/api/call.hpp"
#include "admin/api/visible_mailboxes.hpp"
#include "base/text.hpp"
#include "service/organisation/brake.hpp"
#include "service/views/journal_json.hpp"

namespace syncline::admin::api {
namespace {

namespace json = boost::json;

constexpr std::int64_t most_sequence = std::numeric_limits<std::int64_t>::max();

/// A mailbox owner names one of its mailboxes, or has only one.
Result<std::optional<store::MailboxId>> mailbox_of(const VisibleMailboxes& visible, const Call& call) {
  auto named = mailbox_named(visible, call);
  if (!named || *named || visible.sees_all) return named;
  if (visible.addresses.size() == 1) return std::optional(visible.addresses.begin()->first);
  return fail(ErrorDomain::input, "bad-parameter", "mailbox must name one of your mailboxes");
}

Result<Answer> list_journal(Call& call) {
  auto after = call.numbered_position();
  if (!after) return fail(std::move(after.error()));
  return call.store().read<Answer>([&](store::Transaction& transaction) -> Result<Answer> {
    auto visible = visible_mailboxes(transaction, call);
    if (!visible) return fail(std::move(visible.error()));
    auto mailbox = mailbox_of(*visible, call);
    if (!mailbox) return fail(std::move(mailbox.error()));
    store::JournalQuery query{.mailbox = *mailbox, .item = call.text("item"), .event = call.text("event")};
    query.after = *after != 0 ? *after : call.number("after").value_or(0);
    query.most = call.limit();
    auto entries = store::list_journal(transaction, query);
    if (!entries) return fail(std::move(entries.error()));
    json::array items;
    for (const store::JournalEntry& entry : *entries)
      items.push_back(service::to_json(entry, visible->address_of(entry.mailbox)));
    const bool full = entries->size() == static_cast<std::size_t>(query.most);
    return page_answer(
        std::move(items),
        full ? std::optional(call.cursor(std::to_string(entries->back().sequence))) : std::nullopt);
  });
}

Result<Answer> list_audit(Call& call) {
  auto after = call.numbered_position();
  if (!after) return fail(std::move(after.error()));
  const std::int64_t from = *after != 0 ? *after : call.number("after").value_or(0);
  const int most = call.limit();
  auto entries = call.store().read<std::vector<store::AuditEntry>>(
      [&](store::Transaction& transaction) { return store::list_audit(transaction, from, most); });
  if (!entries) return fail(std::move(entries.error()));
  json::array items;
  for (const store::AuditEntry& entry : *entries) items.push_back(service::to_json(entry));
  const bool full = entries->size() == static_cast<std::size_t>(most);
  return page_answer(
      std::move(items),
      full ? std::optional(call.cursor(std::to_string(entries->back().sequence))) : std::nullopt);
}

Result<Answer> list_quarantine(Call& call) {
  auto after = call.position();
  if (!after) return fail(std::move(after.error()));
  return call.store().read<Answer>([&](store::Transaction& transaction) -> Result<Answer> {
    auto visible = visible_mailboxes(transaction, call);
    if (!visible) return fail(std::move(visible.error()));
    auto mailbox = mailbox_of(*visible, call);
    if (!mailbox) return fail(std::move(mailbox.error()));
    auto quarantined = store::list_quarantine(transaction, *mailbox);
    if (!quarantined) return fail(std::move(quarantined.error()));
    const auto key = [](const store::Quarantined& one) {
      return fmt::format("{:020}/{}", one.mailbox, one.item);
    };
    std::sort(quarantined->begin(), quarantined->end(),
              [&](const auto& a, const auto& b) { return key(a) < key(b); });
    json::array items;
    std::optional<std::string> next;
    std::string last;
    for (const store::Quarantined& one : *quarantined) {
      if (!after->empty() && key(one) <= *after) continue;
      if (items.size() == static_cast<std::size_t>(call.limit())) {
        next = call.cursor(last);
        break;
      }
      items.push_back(service::to_json(one, visible->address_of(one.mailbox)));
      last = key(one);
    }
    return page_answer(std::move(items), next);
  });
}

Result<Answer> replay(Call& call) {
  auto body = call.object({"mailbox", "items"});
  if (!body) return fail(std::move(body.error()));
  const json::value* const mailbox = body->if_contains("mailbox");
  const json::value* const items = body->if_contains("items");
  if (mailbox == nullptr || !mailbox->is_string())
    return fail(ErrorDomain::input, "bad-value", "mailbox must be an address");
  if (items != nullptr && !items->is_array())
    return fail(ErrorDomain::input, "bad-value", "items must be an array of ids, or not be there: all");
  const std::string address = text::to_lower_ascii(std::string_view(mailbox->get_string()));
  return call.store().write<Answer>([&](store::Transaction& transaction) -> Result<Answer> {
    auto visible = visible_mailboxes(transaction, call);
    if (!visible) return fail(std::move(visible.error()));
    const auto known = std::find_if(visible->addresses.begin(), visible->addresses.end(),
                                    [&](const auto& one) { return one.second == address; });
    if (known == visible->addresses.end())
      return fail(ErrorDomain::input, "no-mailbox",
                  fmt::format("There is no mailbox {}", text::escape_for_display(address)));
    auto quarantined = store::list_quarantine(transaction, known->first);
    if (!quarantined) return fail(std::move(quarantined.error()));
    std::set<std::string_view> wanted;
    if (items != nullptr) {
      for (const json::value& one : items->get_array()) {
        const auto* id = one.if_string();
        const bool is_there =
            id != nullptr && std::any_of(quarantined->begin(), quarantined->end(),
                                         [&](const auto& item) { return item.item == *id; });
        if (!is_there)
          return fail(ErrorDomain::input, "bad-value", "items: one of them is not in quarantine");
        wanted.insert(std::string_view(*id));
      }
    }
    const service::Actor actor = call.actor();
    std::int64_t count = 0;
    for (store::Quarantined& item : *quarantined) {
      if (items != nullptr && !wanted.contains(item.item)) continue;
      item.replay = true;
      if (auto put = store::put_quarantined(transaction, item); !put) return fail(std::move(put.error()));
      auto audited = store::append_audit(transaction, {.who = actor.who,
                                                       .act = "quarantine.replay",
                                                       .object = address + " " + item.item,
                                                       .reason = actor.reason});
      if (!audited) return fail(std::move(audited.error()));
      ++count;
    }
    Answer answer = json_answer(json::object{{"mailbox", address}, {"items", count}}, 202);
    answer.afterwards = [address](Control& control, Answer&) {
      static_cast<void>(control.sync_now(address));
    };
    if (auto kept = call.remember(transaction, answer); !kept) return fail(std::move(kept.error()));
    return answer;
  });
}

Result<Answer> release_brake(Call& call) {
  const std::string address = text::to_lower_ascii(call.path("address"));
  return call.store().write<Answer>([&](store::Transaction& transaction) -> Result<Answer> {
    auto visible = visible_mailboxes(transaction, call);
    if (!visible) return fail(std::move(visible.error()));
    for (const auto& [id, known] : visible->addresses) {
      if (known != address) continue;
      auto released = service::release_brake(transaction, id, address, call.actor());
      if (!released) return fail(std::move(released.error()));
      Answer answer = json_answer(json::object{{"mailbox", address}, {"released", *released}});
      answer.afterwards = [address](Control& control, Answer&) {
        static_cast<void>(control.sync_now(address));
      };
      if (auto kept = call.remember(transaction, answer); !kept) return fail(std::move(kept.error()));
      return answer;
    }
    return fail(ErrorDomain::input, "no-mailbox",
                fmt::format("There is no mailbox {}", text::escape_for_display(address)));
  });
}

}  // namespace

void add_journal_routes(std::vector<Route>& routes) {
  constexpr Roles lookers = readers | only(store::ApiRole::mailbox_owner);
  const Parameter after{.name = "after", .type = Parameter::Type::number, .least = 0, .most = most_sequence};
  routes.push_back({.path = "/journal",
                    .operation = "listJournal",
                    .roles = lookers,
                    .query = {page_limit(), page_cursor(), after, text_parameter("mailbox"),
                              text_parameter("item"), text_parameter("event")},
                    .refusals = {404},
                    .handler = list_journal});
  routes.push_back({.path = "/audit",
                    .operation = "listAudit",
                    .roles = approvers,
                    .query = {page_limit(), page_cursor(), after},
                    .handler = list_audit});
  routes.push_back({.path = "/quarantine",
                    .operation = "listQuarantine",
                    .roles = lookers,
                    .query = {page_limit(), page_cursor(), text_parameter("mailbox")},
                    .refusals = {404},
                    .handler = list_quarantine});
  routes.push_back({.method = Method::post,
                    .path = "/quarantine/replay",
                    .operation = "replayQuarantine",
                    .roles = owners,
                    .body = {json_body},
                    .body_octets = 1024 * 1024,
                    .answers = {202},
                    .refusals = {404},
                    .handler = replay});
  routes.push_back({.method = Method::post,
                    .path = "/mailboxes/{address}/brake/release",
                    .operation = "releaseBrake",
                    .roles = administrators,
                    .handler = release_brake});
}

}  // namespace syncline::admin::api
