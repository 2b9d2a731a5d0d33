// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/views/placement_json.hpp"

#include "service/views/json_values.hpp"

namespace syncline::service {
namespace {

namespace json = boost::json;

/// Of what is kept, what `discover --all` shows.
json::value facts_json(const std::string& kept) {
  const json::value value = parsed_or_null(kept);
  if (!value.is_object()) return nullptr;
  json::object facts;
  for (const std::string_view name : {"location", "endpoint", "serverVersion", "serverType"}) {
    const json::value* const found = value.get_object().if_contains(name);
    facts[name] = found != nullptr && found->is_string() ? text_or_null(std::string_view(found->get_string()))
                                                         : json::value();
  }
  return facts;
}

json::value time_or_null(const std::optional<SystemTime>& time) {
  if (!time) return nullptr;
  return json::value(json_time(*time));
}

}  // namespace

json::object to_json(const store::Placement& placement) {
  // Without a reason it was not refused: the look is still to come.
  const bool is_to_come = placement.state == store::PlacementState::not_asked && placement.text.empty();
  return {
      {"lookedAt", time_or_null(placement.looked_at)},
      {"state", is_to_come ? json::value() : text_or_null(to_string(placement.state))},
      {"text", text_or_null(placement.text)},
      {"facts", facts_json(placement.facts)},
      {"parkedAt", time_or_null(placement.parked_at)},
      {"requestedAt", time_or_null(placement.request ? std::optional(placement.request->at) : std::nullopt)}};
}

Result<std::map<store::MailboxId, json::object>> latest_placements(store::Transaction& transaction) {
  auto rows = store::list_placements(transaction);
  if (!rows) return fail(std::move(rows.error()));
  std::map<store::MailboxId, json::object> placements;
  for (const store::Placement& row : *rows) placements.emplace(row.mailbox, to_json(row));
  return placements;
}

}  // namespace syncline::service
