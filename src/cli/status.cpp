// SPDX-License-Identifier: GPL-3.0-or-later
// `syncline status`: how the organisation and each mailbox are.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include "cli/layout.hpp"
#include "cli/organisation_command.hpp"
#include "service/organisation/brake.hpp"
#include "service/organisation/mailbox_gate.hpp"
#include "store/journal.hpp"
#include "store/operations.hpp"
#include "store/records.hpp"

namespace syncline::cli {
namespace {

namespace json = boost::json;

json::value parsed_or_null(const std::string& text) {
  json::error_code error;
  json::value value = json::parse(text, error);
  if (error) return nullptr;
  return value;
}

struct MailboxStatus {
  const model::Mailbox* mailbox = nullptr;
  const service::MailboxStanding* standing = nullptr;
  std::optional<service::Obstacle> obstacle;  ///< of an enabled one
  std::int64_t links[4] = {};
  std::size_t unfinished = 0;
  std::size_t quarantined = 0;
  std::size_t alerts = 0;
  bool brake = false;
};

struct Status {
  service::StoredOrganisation stored;
  std::int64_t records[4] = {};
  std::int64_t last_change = 0;
  std::vector<MailboxStatus> mailboxes;
};

Result<MailboxStatus> look_at(store::Transaction& transaction, MailboxStatus status) {
  for (const model::RecordKind kind : model::record_kinds) {
    auto count = store::count_links(transaction, status.standing->id, kind);
    if (!count) return fail(std::move(count.error()));
    status.links[static_cast<std::size_t>(kind)] = *count;
  }
  auto operations = store::unfinished_operations(transaction, status.standing->id);
  if (!operations) return fail(std::move(operations.error()));
  status.unfinished = operations->size();
  auto quarantine = store::list_quarantine(transaction, status.standing->id);
  if (!quarantine) return fail(std::move(quarantine.error()));
  status.quarantined = quarantine->size();
  return status;
}

/// One consistent view of all of it.
Result<void> collect(store::Transaction& transaction, rules::Day today, Status& status) {
  auto stored = service::load(transaction);
  if (!stored) return fail(std::move(stored.error()));
  status.stored = std::move(*stored);
  for (const model::RecordKind kind : model::record_kinds) {
    auto count = store::count_records(transaction, kind);
    if (!count) return fail(std::move(count.error()));
    status.records[static_cast<std::size_t>(kind)] = *count;
  }
  auto last = store::last_change(transaction);
  if (!last) return fail(std::move(last.error()));
  status.last_change = *last;
  auto alerts = store::list_alerts(transaction, true);
  if (!alerts) return fail(std::move(alerts.error()));
  auto brakes = service::pulled_brakes(transaction);
  if (!brakes) return fail(std::move(brakes.error()));
  const service::MailboxGate gate(status.stored, today);
  for (const model::Mailbox& mailbox : status.stored.configuration.mailboxes) {
    MailboxStatus one;
    one.mailbox = &mailbox;
    one.standing = &status.stored.mailboxes.at(mailbox.address);
    if (one.standing->enabled) one.obstacle = gate.obstacle_to_enabling(mailbox.address);
    one.alerts = static_cast<std::size_t>(
        std::count_if(alerts->begin(), alerts->end(),
                      [&](const store::Alert& alert) { return alert.mailbox == one.standing->id; }));
    one.brake = std::find(brakes->begin(), brakes->end(), mailbox.address) != brakes->end();
    auto looked = look_at(transaction, std::move(one));
    if (!looked) return fail(std::move(looked.error()));
    status.mailboxes.push_back(std::move(*looked));
  }
  return {};
}

std::string name_of_profile(const Status& status, const model::Mailbox& mailbox) {
  const model::Profile* profile = status.stored.configuration.profile_of(mailbox);
  return profile != nullptr ? profile->name : std::string();
}

json::object kinds_json(const std::int64_t (&counts)[4]) {
  json::object object;
  for (const model::RecordKind kind : model::record_kinds)
    object.emplace(model::to_string(kind), counts[static_cast<std::size_t>(kind)]);
  return object;
}

json::object to_json(const Status& status) {
  json::array mailboxes;
  for (const MailboxStatus& one : status.mailboxes) {
    json::object object{{"mailbox", one.mailbox->address},
                        {"kind", model::word_of(one.mailbox->kind)},
                        {"profile", nullptr},
                        {"approval", model::word_of(one.standing->approval.status)},
                        {"enabled", one.standing->enabled},
                        {"obstacle", nullptr},
                        {"links", kinds_json(one.links)},
                        {"operations", one.unfinished},
                        {"quarantined", one.quarantined},
                        {"alerts", one.alerts},
                        {"brake", one.brake},
                        {"state", parsed_or_null(one.standing->state)}};
    if (const std::string profile = name_of_profile(status, *one.mailbox); !profile.empty())
      object["profile"] = profile;
    if (one.obstacle)
      object["obstacle"] = json::object{{"code", one.obstacle->code}, {"message", one.obstacle->message}};
    mailboxes.push_back(std::move(object));
  }
  json::object object{{"organisation", nullptr},
                      {"records", kinds_json(status.records)},
                      {"lastChange", status.last_change},
                      {"mailboxes", std::move(mailboxes)}};
  if (const std::string& name = status.stored.configuration.organisation.name; !name.empty())
    object["organisation"] = name;
  return object;
}

void append_text(std::string& out, const Status& status) {
  const auto& r = status.records;
  out += fmt::format("{}: {} e-mails, {} appointments, {} contacts, {} tasks; {} mailboxes\n",
                     status.stored.configuration.organisation.name.empty()
                         ? std::string("Records")
                         : shown(status.stored.configuration.organisation.name),
                     r[0], r[1], r[2], r[3], status.mailboxes.size());
  for (const MailboxStatus& one : status.mailboxes) {
    std::int64_t links = 0;
    for (const std::int64_t count : one.links) links += count;
    std::string line = one.standing->enabled ? "enabled" : "not enabled";
    if (one.standing->approval.status != model::ApprovalStatus::approved)
      line += fmt::format(", {}", model::word_of(one.standing->approval.status));
    line += fmt::format(", {} linked", links);
    if (one.unfinished > 0) line += fmt::format(", {} operations under way", one.unfinished);
    if (one.quarantined > 0) line += fmt::format(", {} quarantined", one.quarantined);
    if (one.alerts > 0) line += fmt::format(", {} alerts", one.alerts);
    if (one.brake) line += ", stopped by the brake on deletes";
    if (one.obstacle) line += fmt::format(". Not served: {}", one.obstacle->message);
    append_wrapped(out, padded(shown(one.mailbox->address), 34) + " ", shown(line));
  }
}

ExitStatus run_status(const Globals& globals, const std::string& format) {
  auto organisation = open_organisation(globals, OpenFor::reading);
  if (!organisation) return report(organisation.error());
  const rules::Day today = (*organisation)->today();
  Status status;
  auto done = (*organisation)->store().read<void>([&](store::Transaction& transaction) {
    return collect(transaction, today, status);
  });
  if (!done) return report(done.error());
  Output output;
  if (format == "json") {
    append_line(output, to_json(status));
  } else {
    append_text(output.text(), status);
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
