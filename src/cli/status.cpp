// SPDX-License-Identifier: GPL-3.0-or-later
// `syncline status`: how the organisation and each mailbox are.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/layout.hpp"
#include "cli/organisation_command.hpp"
#include "service/views/status_json.hpp"

namespace syncline::cli {
namespace {

using service::MailboxStatus;

void append_text(std::string& out, const service::Status& status) {
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
    if (one.test == "failure") line += ", has not passed its test";
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
  Output output;
  if (format == "json") {
    append_line(output, service::to_json(status));
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
