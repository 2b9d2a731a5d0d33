// SPDX-License-Identifier: GPL-3.0-or-later
// `syncline readiness`: what the end of Exchange Web Services in Exchange Online will stop, and when.
#include "service/organisation/readiness.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <map>

#include "cli/findings_text.hpp"
#include "cli/layout.hpp"
#include "cli/organisation_command.hpp"
#include "service/views/readiness_json.hpp"

namespace syncline::cli {
namespace {

using service::MailboxReadiness;

struct Options {
  std::string format;
  std::string language;
};

/// Mailboxes with the same fate, of one profile.
struct Group {
  std::size_t mailboxes = 0;
  std::size_t enabled = 0;
  const MailboxReadiness* first = nullptr;
};

void append_text(std::string& out, const std::vector<MailboxReadiness>& all, rules::Day today,
                 rules::Language language) {
  std::map<std::pair<std::string, std::string>, Group> groups;
  for (const MailboxReadiness& one : all) {
    std::string fate(service::state_of(one, today));
    if (one.stops_on) fate += " " + rules::format_day(*one.stops_on);
    Group& group = groups[{one.profile, fate}];
    ++group.mailboxes;
    group.enabled += one.enabled ? 1 : 0;
    if (group.first == nullptr) group.first = &one;
  }
  for (const auto& [key, group] : groups) {
    const MailboxReadiness& one = *group.first;
    const std::string tenant = one.tenant.empty() ? std::string() : ", tenant " + one.tenant;
    const std::string who = group.mailboxes == 1
                                ? one.address
                                : fmt::format("{} mailboxes ({} enabled)", group.mailboxes, group.enabled);
    std::string what;
    if (one.refused_by_server)
      what = "the server says already that Exchange Web Services are switched off";
    else if (one.forbidden_by_server)
      what = "the server refuses and gives no reason: Exchange Web Services may be switched off";
    else if (one.stops_on && *one.stops_on <= today)
      what = "cannot be synchronised any more";
    else if (one.stops_on)
      what = "will stop on " + rules::format_day(*one.stops_on);
    else
      what = one.concerned ? "goes on for now" : "not concerned";
    append_wrapped(out,
                   fmt::format("{}{}: ", shown(key.first.empty() ? "no profile" : key.first), shown(tenant)),
                   shown(who + ": " + what));
    if (!one.judged || !one.concerned) continue;
    for (const rules::Finding& finding : one.judged->judgement.findings) {
      if (!service::is_about_the_end_of_ews(finding)) continue;
      append_wrapped(out, "    ",
                     shown(rules::message_of(*finding.rule, one.judged->assignment.values, language)));
      append_wrapped(out, "    → ",
                     shown(rules::remedy_of(*finding.rule, one.judged->assignment.values, language)));
    }
  }
  if (all.empty()) out += "No mailboxes.\n";
}

ExitStatus run(const Globals& globals, const Options& options) {
  auto organisation = open_organisation(globals, OpenFor::reading);
  if (!organisation) return report(organisation.error());
  auto stored = (*organisation)->load();
  if (!stored) return report(stored.error());
  AssignmentOptions shared;
  shared.language = options.language;
  const rules::Language language = language_of(shared);
  const rules::Day today = (*organisation)->today();
  const std::vector<MailboxReadiness> all = service::readiness(*stored, today);
  Output output;
  ExitStatus status = ExitStatus::done;
  for (const MailboxReadiness& one : all) {
    if (one.stops_on || one.refused_by_server || one.forbidden_by_server) status = ExitStatus::refused;
    if (options.format == "json") append_line(output, service::to_json(one, today, language));
  }
  if (options.format == "text") append_text(output.text(), all, today, language);
  return finish(output, status);
}

}  // namespace

void add_readiness(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand(
      "readiness",
      "What the end of Exchange Web Services in Exchange Online will stop, by profile and mailbox");
  auto options = std::make_shared<Options>();
  add_format_option(*command, options->format);
  command->add_option("--lang", options->language, "Language of findings (default: the locale's)")
      ->check(CLI::IsMember({"en", "it", "ja", "pt"}));
  command->footer("Exit: 0 nothing will stop, 1 something will.");
  command->callback(
      [options, &action] { action = [options](const Globals& globals) { return run(globals, *options); }; });
}

}  // namespace syncline::cli
