// SPDX-License-Identifier: GPL-3.0-or-later
// `syncline alerts`: what needs a person.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/layout.hpp"
#include "cli/organisation_command.hpp"
#include "service/organisation/record_lines.hpp"
#include "store/journal.hpp"

namespace syncline::cli {
namespace {

namespace json = boost::json;

std::string_view word_of(store::AlertLevel level) noexcept {
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

ExitStatus run_alerts(const Globals& globals, const std::string& format, bool all) {
  auto organisation = open_organisation(globals, OpenFor::reading);
  if (!organisation) return report(organisation.error());
  Output output;
  auto done = (*organisation)->store().read<void>([&](store::Transaction& transaction) -> Result<void> {
    auto addresses = service::mailbox_addresses(transaction);
    if (!addresses) return fail(std::move(addresses.error()));
    auto alerts = store::list_alerts(transaction, !all);
    if (!alerts) return fail(std::move(alerts.error()));
    for (const store::Alert& alert : *alerts) {
      const auto found = addresses->find(alert.mailbox);
      if (format == "json") {
        json::object object{{"id", std::to_string(alert.id)},
                            {"at", print_time(alert.at)},
                            {"mailbox", nullptr},
                            {"level", word_of(alert.level)},
                            {"code", alert.code},
                            {"text", alert.text},
                            {"remedy", nullptr},
                            {"count", alert.count},
                            {"open", alert.open}};
        if (found != addresses->end()) object["mailbox"] = found->second;
        if (!alert.remedy.empty()) object["remedy"] = alert.remedy;
        append_line(output, object);
        continue;
      }
      const std::string whose = found == addresses->end() ? std::string() : found->second + ": ";
      append_wrapped(
          output.text(), fmt::format("{} {} ", print_time(alert.at), padded(word_of(alert.level), 11)),
          shown(fmt::format("{}{}{} ({}{})", whose, alert.text, alert.open ? "" : " — settled", alert.code,
                            alert.count > 1 ? fmt::format(", {} times", alert.count) : "")));
      if (!alert.remedy.empty())
        append_wrapped(output.text(), std::string(33, ' ') + "→ ", shown(alert.remedy));
    }
    if (format == "text" && alerts->empty()) output.text() += "No alerts.\n";
    return {};
  });
  if (!done) return report(done.error());
  return finish(output, ExitStatus::done);
}

}  // namespace

void add_alerts(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("alerts", "What needs a person");
  auto format = std::make_shared<std::string>();
  auto all = std::make_shared<bool>(false);
  add_format_option(*command, *format);
  command->add_flag("--all", *all, "Settled ones, too");
  command->callback([format, all, &action] {
    action = [format, all](const Globals& globals) { return run_alerts(globals, *format, *all); };
  });
}

}  // namespace syncline::cli
