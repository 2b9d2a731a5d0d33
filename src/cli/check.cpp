// SPDX-License-Identifier: GPL-3.0-or-later
// `syncline check`: judges assignments of mailboxes to profiles. Needs no network and no organisation.
#include <CLI/CLI.hpp>

#include "cli/assignment_rows.hpp"
#include "cli/command.hpp"

namespace syncline::cli {
namespace {

struct CheckOptions : AssignmentOptions {
  std::string only;
  bool summary = false;
};

ExitStatus run_check(const CheckOptions& options) {
  const rules::Language language = language_of(options);
  const bool as_json = options.format == "json";
  const JsonReport json{language};
  const TextReport text{language};
  Output output;
  Tally tally;
  bool header_printed = false;
  const auto visit = [&](const JudgedRow& row) {
    if (options.summary || !as_json) tally.add(row);
    if (options.summary) return;
    if (!options.only.empty() && options.only != to_string(row.judgement.verdict)) return;
    if (as_json) {
      json.append(output.text(), row);
    } else {
      if (!header_printed) text.append_header(output.text());
      header_printed = true;
      text.append(output.text(), row);
      output.text().push_back('\n');
    }
    output.flush(false);
  };
  const ExitStatus status = for_each_assignment(options, visit, [&] { tally.add_bad_row(); });
  // A summary of half a file would be taken for the whole.
  const bool whole = status == ExitStatus::done || status == ExitStatus::refused ||
                     (status == ExitStatus::bad_input && options.keep_going && tally.rows() > 0);
  if (whole && as_json && options.summary) json.append_summary(output.text(), tally);
  if (whole && !as_json) text.append_summary(output.text(), tally);
  return output.flush(true) ? status : ExitStatus::local_trouble;
}

}  // namespace

void add_check(CLI::App& app, Action& action) {
  CLI::App* check =
      app.add_subcommand("check", "Judge assignments of mailboxes to profiles: accept, warn or reject");
  auto options = std::make_shared<CheckOptions>();
  add_assignment_options(*check, *options);
  check->add_option("--only", options->only, "Print only the rows with this verdict")
      ->check(CLI::IsMember({"accept", "warn", "reject"}));
  check->add_flag("--summary", options->summary, "Print only the summary by rule");
  auto* exchange =
      check->add_option("--from-exchange", options->mailboxes,
                        "Instead of FILE: what Get-Mailbox or Get-RemoteMailbox | Export-Csv printed");
  exchange->type_name("FILE.csv");
  check
      ->add_option("--servers", options->servers,
                   "What Get-ExchangeServer | Export-Csv printed: versions of servers")
      ->type_name("FILE.csv")
      ->needs(exchange);
  check->add_option("--profiles", options->profiles, "Profiles of the proposal: [[profile]] tables")
      ->type_name("FILE.toml")
      ->needs(exchange);
  check->add_option("--map", options->map, "Which mailbox goes to which profile: columns mailbox, profile")
      ->type_name("FILE.csv")
      ->needs(exchange);
  check->footer(
      "Exit: 0 nothing rejected, 1 something rejected, 2 bad input.\n"
      "`syncline rules list` shows the rules; docs/rules.md explains fields and defaults.");
  check->callback([options, &action] {
    if (options->file.empty() == options->mailboxes.empty()) {
      throw CLI::ValidationError("check", options->file.empty()
                                              ? "FILE or --from-exchange is required"
                                              : "FILE and --from-exchange exclude each other");
    }
    if (!options->mailboxes.empty() && options->profiles.empty()) {
      throw CLI::ValidationError("check", "--from-exchange needs --profiles FILE.toml");
    }
    action = [options](const Globals&) { return run_check(*options); };
  });
}

}  // namespace syncline::cli
