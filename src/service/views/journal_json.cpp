// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/views/journal_json.hpp"

#include <string>

#include "service/views/json_values.hpp"

namespace syncline::service {

namespace json = boost::json;

json::object to_json(const store::JournalEntry& entry, std::string_view address) {
  json::object object{{"sequence", entry.sequence},
                      {"at", json_time(entry.at)},
                      {"mailbox", text_or_null(address)},
                      {"item", text_or_null(entry.item)},
                      {"record", nullptr},
                      {"event", entry.event},
                      {"reason", text_or_null(entry.reason)},
                      {"text", text_or_null(entry.text)},
                      {"detail", parsed_or_text(entry.detail)}};
  if (entry.record != 0) object["record"] = std::to_string(entry.record);
  return object;
}

json::object to_json(const store::Quarantined& item, std::string_view address) {
  return {{"mailbox", address},
          {"folder", item.folder},
          {"item", item.item},
          {"version", item.item_version},
          {"code", item.code},
          {"text", item.text},
          {"firstSeen", json_time(item.first_seen)},
          {"lastTried", json_time(item.last_tried)},
          {"attempts", item.attempts},
          {"replay", item.replay}};
}

json::object to_json(const store::Alert& alert, std::string_view address, const store::AlertNote* note) {
  json::value acknowledged;
  if (note != nullptr)
    acknowledged =
        json::object{{"at", json_time(note->at)}, {"by", note->by}, {"note", text_or_null(note->note)}};
  json::object object{{"id", std::to_string(alert.id)},
                      {"at", json_time(alert.at)},
                      {"mailbox", text_or_null(address)},
                      {"level", to_string(alert.level)},
                      {"code", alert.code},
                      {"text", alert.text},
                      {"remedy", nullptr},
                      {"count", alert.count},
                      {"open", alert.open},
                      {"acknowledged", std::move(acknowledged)}};
  if (!alert.remedy.empty()) object["remedy"] = alert.remedy;
  return object;
}

std::string_view to_string(store::AlertLevel level) noexcept {
  switch (level) {
    case store::AlertLevel::information:
      return "information";
    case store::AlertLevel::warning:
      return "warning";
    case store::AlertLevel::error:
      return "error";
  }
  return {};
}

json::object to_json(const store::AuditEntry& entry) {
  json::object object{{"sequence", entry.sequence}, {"at", json_time(entry.at)}, {"who", entry.who},
                      {"act", entry.act},           {"object", entry.object},    {"reason", nullptr}};
  if (!entry.reason.empty()) object["reason"] = entry.reason;
  return object;
}

}  // namespace syncline::service
