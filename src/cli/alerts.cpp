// SPDX-License-Identifier: GPL-3.0-or-later
// `syncline alerts`: what needs a person.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/layout.hpp"
#include "cli/organisation_command.hpp"
#include "service/organisation/alert_acts.hpp"
#include "service/organisation/record_lines.hpp"
#include "service/views/journal_json.hpp"
#include "store/journal.hpp"

namespace syncline::cli {
namespace {

struct Options {
  std::string format;
  bool all = false;
  std::vector<std::int64_t> ids;
  service::Actor actor;
};

ExitStatus run_list(const Globals& globals, const Options& options) {
  auto organisation = open_organisation(globals, OpenFor::reading);
  if (!organisation) return report(organisation.error());
  Output output;
  auto done = (*organisation)->store().read<void>([&](store::Transaction& transaction) -> Result<void> {
    auto addresses = service::mailbox_addresses(transaction);
    if (!addresses) return fail(std::move(addresses.error()));
    auto alerts = store::list_alerts(transaction, !options.all);
    if (!alerts) return fail(std::move(alerts.error()));
    auto notes = store::list_alert_notes(transaction);
    if (!notes) return fail(std::move(notes.error()));
    for (const store::Alert& alert : *alerts) {
      const auto found = addresses->find(alert.mailbox);
      const auto noted = notes->find(alert.id);
      const store::AlertNote* note = noted == notes->end() ? nullptr : &noted->second;
      if (options.format == "json") {
        append_line(output, service::to_json(alert, found == addresses->end() ? "" : found->second, note));
        continue;
      }
      const std::string whose = found == addresses->end() ? std::string() : found->second + ": ";
      const std::string state = (alert.open ? "" : " — settled") +
                                (note == nullptr ? std::string() : fmt::format(" — seen by {}", note->by));
      append_wrapped(output.text(),
                     fmt::format("{} {} {} ", padded(std::to_string(alert.id), 5), print_time(alert.at),
                                 padded(service::to_string(alert.level), 11)),
                     shown(fmt::format("{}{}{} ({}{})", whose, alert.text, state, alert.code,
                                       alert.count > 1 ? fmt::format(", {} times", alert.count) : "")));
      if (!alert.remedy.empty())
        append_wrapped(output.text(), std::string(39, ' ') + "→ ", shown(alert.remedy));
    }
    if (options.format == "text" && alerts->empty()) output.text() += "No alerts.\n";
    return {};
  });
  if (!done) return report(done.error());
  return finish(output, ExitStatus::done);
}

ExitStatus run_acknowledge(const Globals& globals, const Options& options) {
  auto organisation = open_organisation(globals, OpenFor::writing);
  if (!organisation) return report(organisation.error());
  service::Actor actor = options.actor;
  if (actor.who.empty()) actor.who = current_user();
  std::vector<std::int64_t> ids = options.ids;
  if (options.all) {
    auto open = (*organisation)->store().read<std::vector<store::Alert>>([](store::Transaction& transaction) {
      return store::list_alerts(transaction, true);
    });
    if (!open) return report(open.error());
    for (const store::Alert& alert : *open) ids.push_back(alert.id);
  }
  auto done = service::acknowledge_alerts(**organisation, ids, actor);
  if (!done) return report(done.error());
  Output output;
  output.text() += fmt::format("{} acknowledged\n", done->size());
  const bool some_unknown = !options.all && done->size() < ids.size();
  if (some_unknown) output.text() += "The others are not there, or were acknowledged before.\n";
  return finish(output, some_unknown ? ExitStatus::refused : ExitStatus::done);
}

}  // namespace

void add_alerts(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("alerts", "What needs a person");
  auto options = std::make_shared<Options>();
  // Without a word after it, `alerts` lists; with one, that command's callback comes second and decides.
  const auto add_list_options = [options](CLI::App& where) {
    add_format_option(where, options->format);
    where.add_flag("--all", options->all, "Settled ones, too");
  };
  const auto list = [options, &action] {
    action = [options](const Globals& globals) { return run_list(globals, *options); };
  };
  add_list_options(*command);
  command->callback([command, list] {
    if (command->get_subcommands().empty()) list();
  });
  CLI::App* listing = command->add_subcommand("list", "What needs a person (the same as without a word)");
  add_list_options(*listing);
  listing->callback(list);
  CLI::App* acknowledge =
      command->add_subcommand("acknowledge", "Somebody looks after it: nobody else is told any more");
  acknowledge->add_option("ID", options->ids, "Numbers of alerts");
  acknowledge->add_flag("--all", options->all, "All that are open");
  add_actor_options(*acknowledge, options->actor.who, options->actor.reason);
  acknowledge->callback([options, &action] {
    if (options->ids.empty() == !options->all)
      throw CLI::ValidationError("alerts acknowledge", "name alerts, or --all");
    action = [options](const Globals& globals) { return run_acknowledge(globals, *options); };
  });
}

}  // namespace syncline::cli
