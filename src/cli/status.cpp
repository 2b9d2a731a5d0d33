// SPDX-License-Identifier: GPL-3.0-or-later
// `syncline status`: how the organisation and each mailbox are; of a running `serve`, how it watches them.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json/array.hpp>
#include <map>

#include "cli/layout.hpp"
#include "cli/organisation_command.hpp"
#include "service/control/control_client.hpp"
#include "service/views/status_json.hpp"

namespace syncline::cli {
namespace {

namespace json = boost::json;
using service::MailboxStatus;

/// How a running daemon watches a mailbox.
struct Watched {
  std::string by;     ///< "push", "poll"
  std::string since;  ///< RFC 3339
  std::string state;  ///< "running", "waiting", …
};
using AllWatched = std::map<std::string, Watched, std::less<>>;

/// What a running daemon says; empty: none runs.
struct FromDaemon {
  AllWatched watched = {};
  json::value servers = nullptr;  ///< {"requestsWaiting","throttledSeconds"}
};

FromDaemon ask_daemon_how(service::Organisation& organisation) {
  FromDaemon from;
  AllWatched& all = from.watched;
  const auto answer = service::ask_daemon(organisation.store().folder(), {{"do", "status"}});
  const json::value* mailboxes = answer ? answer->if_contains("mailboxes") : nullptr;
  if (mailboxes == nullptr || !mailboxes->is_array()) return from;
  if (const json::value* servers = answer->if_contains("servers")) from.servers = *servers;
  const SystemTime now = organisation.clock().now();
  for (const json::value& one : mailboxes->get_array()) {
    const json::object* said = one.if_object();
    if (said == nullptr) continue;
    const auto word = [&](const char* name) {
      const json::value* value = said->if_contains(name);
      return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
    };
    const json::value* span = said->if_contains("sinceMs");
    const std::int64_t since_ms = span != nullptr && span->is_int64() ? span->get_int64() : 0;
    all.emplace(word("mailbox"), Watched{.by = word("by"),
                                         .since = print_time(now - std::chrono::milliseconds(since_ms)),
                                         .state = word("state")});
  }
  return from;
}

/// "1 alert", "2 alerts", "1 change to write"
template <class Number>
std::string counted(Number count, std::string_view one, std::string_view several) {
  return fmt::format("{} {}", count, count == 1 ? one : several);
}

/// "4 min ago"
std::string ago(std::chrono::seconds span) {
  if (span < std::chrono::minutes(2)) return fmt::format("{} s ago", std::max<std::int64_t>(0, span.count()));
  if (span < std::chrono::hours(2)) return fmt::format("{} min ago", span.count() / 60);
  if (span < std::chrono::hours(48)) return fmt::format("{} h ago", span.count() / 3600);
  return fmt::format("{} days ago", span.count() / 86400);
}

void append_servers(std::string& out, const json::value& servers) {
  const json::object* said = servers.if_object();
  if (said == nullptr) return;
  boost::system::error_code none;
  const auto number = [&](const char* name) {
    const json::value* value = said->if_contains(name);
    return value == nullptr ? 0.0 : value->to_number<double>(none);
  };
  out +=
      fmt::format("Held back by servers since the start of serve: {:.0f} s; {}\n", number("throttledSeconds"),
                  counted(static_cast<std::int64_t>(number("requestsWaiting")), "request waits now",
                          "requests wait now"));
}

void append_text(std::string& out, const service::Status& status, const FromDaemon& from, SystemTime now) {
  const AllWatched& watched = from.watched;
  const auto& r = status.records;
  out += fmt::format("{}: {}, {}, {}, {}; {}\n",
                     status.stored.configuration.organisation.name.empty()
                         ? std::string("Records")
                         : shown(status.stored.configuration.organisation.name),
                     counted(r[0], "e-mail", "e-mails"), counted(r[1], "appointment", "appointments"),
                     counted(r[2], "contact", "contacts"), counted(r[3], "task", "tasks"),
                     counted(status.mailboxes.size(), "mailbox", "mailboxes"));
  append_servers(out, from.servers);
  for (const MailboxStatus& one : status.mailboxes) {
    std::int64_t links = 0;
    for (const std::int64_t count : one.links) links += count;
    std::string line = one.standing->enabled ? "enabled" : "not enabled";
    if (one.standing->approval.status != model::ApprovalStatus::approved)
      line += fmt::format(", {}", model::word_of(one.standing->approval.status));
    line += fmt::format(", {} linked", links);
    if (one.in_step_at)
      line += ", in step " + ago(std::chrono::duration_cast<std::chrono::seconds>(now - *one.in_step_at));
    else if (one.standing->enabled)
      line += ", never in step yet";
    if (one.changes_waiting > 0)
      line += ", " + counted(one.changes_waiting, "change to write", "changes to write");
    if (one.new_waiting.value_or(0) > 0)
      line += ", " + counted(*one.new_waiting, "new record to write", "new records to write");
    if (one.unfinished > 0)
      line += ", " + counted(one.unfinished, "operation under way", "operations under way");
    if (one.quarantined > 0) line += fmt::format(", {} quarantined", one.quarantined);
    if (one.alerts > 0) line += ", " + counted(one.alerts, "alert", "alerts");
    if (one.test == "failure") line += ", has not passed its test";
    if (const auto at = watched.find(one.mailbox->address); at != watched.end())
      line += fmt::format(", {} by {} since {}", at->second.state, at->second.by, at->second.since);
    if (one.brake) line += ", stopped by the brake on deletes";
    if (one.obstacle) line += fmt::format(". Not served: {}", one.obstacle->message);
    append_wrapped(out, padded(shown(one.mailbox->address), 34) + " ", shown(line));
  }
}

ExitStatus run_status(const Globals& globals, const std::string& format) {
  auto organisation = open_organisation(globals, OpenFor::reading);
  if (!organisation) return report(organisation.error());
  const rules::Day today = (*organisation)->today();
  auto collected = (*organisation)->store().read<service::StatusPtr>([&](store::Transaction& transaction) {
    return service::collect_status(transaction, today);
  });
  if (!collected) return report(collected.error());
  const service::Status& status = **collected;
  const FromDaemon from = ask_daemon_how(**organisation);
  const SystemTime now = (*organisation)->clock().now();
  Output output;
  if (format == "json") {
    json::object line = service::to_json(status, now);
    line["servers"] = from.servers;
    for (json::value& one : line["mailboxes"].as_array()) {
      json::object& mailbox = one.as_object();
      const auto at = from.watched.find(std::string_view(mailbox["mailbox"].as_string()));
      if (at != from.watched.end())
        mailbox["watched"] =
            json::object{{"by", at->second.by}, {"since", at->second.since}, {"state", at->second.state}};
    }
    append_line(output, line);
  } else {
    append_text(output.text(), status, from, now);
  }
  return finish(output, ExitStatus::done);
}

}  // namespace

void add_status(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("status", "How the organisation and each mailbox are");
  auto format = std::make_shared<std::string>();
  add_format_option(*command, *format);
  command->callback([format, &action] {
    action = [format](const Globals& globals) { return run_status(globals, *format); };
  });
}

}  // namespace syncline::cli
