// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/control/outcome_lines.hpp"

#include <array>
#include <boost/json/array.hpp>
#include <string>
#include <utility>

namespace syncline::service {
namespace {

namespace json = boost::json;

constexpr std::array<std::pair<const char*, std::uint64_t sync::KindCounts::*>, 12> counts = {{
    {"came", &sync::KindCounts::came},
    {"changedHere", &sync::KindCounts::changed_here},
    {"went", &sync::KindCounts::went},
    {"changedThere", &sync::KindCounts::changed_there},
    {"removedHere", &sync::KindCounts::removed_here},
    {"removedThere", &sync::KindCounts::removed_there},
    {"unlinked", &sync::KindCounts::unlinked},
    {"merged", &sync::KindCounts::merged},
    {"conflicts", &sync::KindCounts::conflicts},
    {"notTracked", &sync::KindCounts::not_tracked},
    {"quarantined", &sync::KindCounts::quarantined},
    {"refused", &sync::KindCounts::refused},
}};

std::string text(const json::object& line, const char* name) {
  const json::value* value = line.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::uint64_t number(const json::object& line, const char* name) {
  const json::value* value = line.if_contains(name);
  if (value == nullptr) return 0;
  boost::system::error_code bad;
  const auto found = value->to_number<std::uint64_t>(bad);
  return bad ? 0 : found;
}

bool flag(const json::object& line, const char* name) {
  const json::value* value = line.if_contains(name);
  return value != nullptr && value->is_bool() && value->get_bool();
}

const json::object* member(const json::object& line, const char* name) {
  const json::value* value = line.if_contains(name);
  return value != nullptr ? value->if_object() : nullptr;
}

/// The value of an enumeration whose to_string says `word`; the first one for a word that is none.
template <class Enum>
Enum value_of(const std::string& word, Enum last) {
  for (int i = 0; i <= static_cast<int>(last); ++i)
    if (to_string(static_cast<Enum>(i)) == word) return static_cast<Enum>(i);
  return Enum{};
}

}  // namespace

json::object to_line(const Error& error) {
  json::object line{{"domain", to_string(error.domain)},
                    {"code", error.code},
                    {"message", error.message},
                    {"retry", to_string(error.retry)},
                    {"context", json::array(error.context.begin(), error.context.end())}};
  if (error.http_status) line["httpStatus"] = *error.http_status;
  return line;
}

Error error_of(const json::object& line) {
  Error error{.domain = value_of(text(line, "domain"), ErrorDomain::mail),
              .code = text(line, "code"),
              .message = text(line, "message"),
              .retry = value_of(text(line, "retry"), RetryClass::quarantine)};
  if (const std::uint64_t status = number(line, "httpStatus"); status != 0)
    error.http_status = static_cast<int>(status);
  if (const json::value* context = line.if_contains("context"); context != nullptr && context->is_array())
    for (const json::value& one : context->get_array())
      if (one.is_string()) error.context.emplace_back(one.get_string());
  return error;
}

json::object to_line(const MailboxOutcome& outcome) {
  json::object line{{"mailbox", outcome.address},
                    {"endpoint", outcome.endpoint},
                    {"serverVersion", outcome.server_version}};
  if (!outcome.summary) {
    line["error"] = to_line(outcome.summary.error());
    return line;
  }
  const sync::MailboxSummary& summary = *outcome.summary;
  json::object kinds;
  for (const model::RecordKind kind : model::record_kinds) {
    json::object& of = kinds[model::to_string(kind)].emplace_object();
    for (const auto& [name, count] : counts) of[name] = summary.of(kind).*count;
  }
  line["summary"] = json::object{{"kinds", std::move(kinds)},
                                 {"pages", summary.pages},
                                 {"requests", summary.requests},
                                 {"waiting", summary.waiting},
                                 {"needsPerson", summary.needs_person},
                                 {"brake", summary.brake},
                                 {"takenOverFrom", summary.taken_over_from}};
  return line;
}

MailboxOutcome outcome_of(const json::object& line) {
  MailboxOutcome outcome{.address = text(line, "mailbox"),
                         .summary = sync::MailboxSummary{},
                         .endpoint = text(line, "endpoint"),
                         .server_version = text(line, "serverVersion")};
  if (const json::object* error = member(line, "error")) {
    outcome.summary = fail(error_of(*error));
    return outcome;
  }
  const json::object* said = member(line, "summary");
  if (said == nullptr) return outcome;
  sync::MailboxSummary& summary = *outcome.summary;
  summary.pages = number(*said, "pages");
  summary.requests = number(*said, "requests");
  summary.waiting = number(*said, "waiting");
  summary.needs_person = number(*said, "needsPerson");
  summary.brake = flag(*said, "brake");
  summary.taken_over_from = text(*said, "takenOverFrom");
  if (const json::object* kinds = member(*said, "kinds"))
    for (const model::RecordKind kind : model::record_kinds)
      if (const json::object* of = member(*kinds, std::string(model::to_string(kind)).c_str()))
        for (const auto& [name, count] : counts) summary.of(kind).*count = number(*of, name);
  return outcome;
}

json::object to_line(const sync::RunProgress& progress) {
  return {{"phase", progress.phase},
          {"folder", progress.folder},
          {"done", progress.done},
          {"total", progress.total}};
}

sync::RunProgress progress_of(const json::object& line) {
  return {.phase = text(line, "phase"),
          .folder = text(line, "folder"),
          .done = number(line, "done"),
          .total = number(line, "total")};
}

json::object to_line(const Obstacle& obstacle) {
  return {{"mailbox", obstacle.address}, {"code", obstacle.code}, {"message", obstacle.message}};
}

Obstacle obstacle_of(const json::object& line) {
  return {.address = text(line, "mailbox"), .code = text(line, "code"), .message = text(line, "message")};
}

}  // namespace syncline::service
