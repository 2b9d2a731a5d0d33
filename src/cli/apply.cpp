// SPDX-License-Identifier: GPL-3.0-or-later
// `syncline apply FILE.toml`: brings policies, profiles and mailboxes to what the file says, after the rules
// agreed.
#include "service/organisation/apply.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "cli/findings_text.hpp"
#include "cli/organisation_command.hpp"
#include "service/organisation/apply_file.hpp"

namespace syncline::cli {
namespace {

namespace json = boost::json;

struct ApplyOptions {
  std::string file;
  std::string format;
  std::string language;
  std::string who;
  std::string reason;
  bool dry_run = false;
};

/// nullopt: it was said what is wrong.
std::optional<service::Configuration> read_file(const std::string& file) {
  const std::string name = file == "-" ? "standard input" : file;
  std::ifstream opened;
  std::error_code error;
  if (file != "-") {
    if (!std::filesystem::is_directory(file, error)) opened.open(file, std::ios::binary);
    if (!opened.is_open()) {
      complain(fmt::format("{}: cannot be opened", shown(name)));
      return std::nullopt;
    }
  }
  std::istream& input = file == "-" ? std::cin : opened;
  auto read = service::read_apply_file(input);
  if (read) return std::move(*read);
  for (const service::FileProblem& problem : read.error()) complain(problem.describe(shown(name)));
  if (read.error().size() >= service::apply_problems_limit) complain("… and perhaps more");
  return std::nullopt;
}

std::string value_text(const json::value& value) {
  return value.is_null() ? std::string("not stated") : shown(json::serialize(value));
}

void append_text(std::string& out, const service::ObjectChange& change) {
  using Action = service::ObjectChange::Action;
  const char sign = change.action == Action::add ? '+' : change.action == Action::remove ? '-' : '~';
  out += fmt::format("{} {}{}{}\n", sign, change.object, change.name.empty() ? "" : " ", shown(change.name));
  if (change.action == Action::remove) return;
  for (const service::FieldChange& field : change.fields) {
    out += change.action == Action::add
               ? fmt::format("    {} = {}\n", field.field, value_text(field.to))
               : fmt::format("    {}: {} → {}\n", field.field, value_text(field.from), value_text(field.to));
  }
}

json::object to_json(const service::ObjectChange& change) {
  json::array fields;
  for (const service::FieldChange& field : change.fields)
    fields.push_back(json::object{{"field", field.field}, {"from", field.from}, {"to", field.to}});
  json::object object{{"action", to_string(change.action)}, {"object", change.object}, {"name", nullptr}};
  if (!change.name.empty()) object["name"] = change.name;
  object["fields"] = std::move(fields);
  return object;
}

void append_json(Output& output, const service::ApplyOutcome& outcome, rules::Language language,
                 bool dry_run) {
  json::array changes;
  for (const service::ObjectChange& change : outcome.changes) changes.push_back(to_json(change));
  json::array mailboxes;
  for (const service::Judged& judged : outcome.judged) {
    mailboxes.push_back(json::object{{"mailbox", judged.address},
                                     {"verdict", to_string(judged.judgement.verdict)},
                                     {"findings", findings_json(judged, language)}});
  }
  json::array refusals;
  for (const service::ApplyRefusal& refusal : outcome.refusals) {
    refusals.push_back(
        json::object{{"mailbox", refusal.address}, {"code", refusal.code}, {"message", refusal.message}});
  }
  append_line(output, json::object{{"dryRun", dry_run},
                                   {"applied", outcome.applied},
                                   {"changes", std::move(changes)},
                                   {"mailboxes", std::move(mailboxes)},
                                   {"refusals", std::move(refusals)}});
}

void append_text(std::string& out, const service::ApplyOutcome& outcome, rules::Language language,
                 bool dry_run) {
  for (const service::ObjectChange& change : outcome.changes) append_text(out, change);
  if (!outcome.changes.empty()) out += "\n";
  std::map<std::string_view, const service::Judged*> judged;
  for (const service::Judged& one : outcome.judged) judged[one.address] = &one;
  for (const service::ApplyRefusal& refusal : outcome.refusals) {
    out += fmt::format("{}: refused, {}\n", shown(refusal.address), refusal.message);
    const auto found = judged.find(refusal.address);
    if (found != judged.end()) append_findings(out, *found->second, language, rules::Severity::reject);
  }
  for (const std::string& address : outcome.still_rejected)
    out += fmt::format("{}: rejected as before, not part of this change\n", shown(address));
  append_warnings_summary(out, outcome.judged, language);
  if (!outcome.refusals.empty()) {
    out += "Nothing was changed.\n";
  } else if (outcome.changes.empty()) {
    out += "Nothing to change.\n";
  } else if (dry_run) {
    out += fmt::format("{} changes would be made.\n", outcome.changes.size());
  } else {
    out += fmt::format("{} changes made.\n", outcome.changes.size());
  }
}

ExitStatus run_apply(const Globals& globals, const ApplyOptions& options) {
  const auto wanted = read_file(options.file);
  if (!wanted) return ExitStatus::bad_input;
  auto organisation = open_organisation(globals, options.dry_run ? OpenFor::reading : OpenFor::writing);
  if (!organisation) return report(organisation.error());
  const service::Actor actor{options.who.empty() ? current_user() : options.who, options.reason};
  auto outcome = service::apply(**organisation, *wanted, options.dry_run, actor);
  if (!outcome) return report(outcome.error());
  AssignmentOptions language_options;
  language_options.language = options.language;
  const rules::Language language = language_of(language_options);
  Output output;
  if (options.format == "json") {
    append_json(output, *outcome, language, options.dry_run);
  } else {
    append_text(output.text(), *outcome, language, options.dry_run);
  }
  return finish(output, outcome->refusals.empty() ? ExitStatus::done : ExitStatus::refused);
}

}  // namespace

void add_apply(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand(
      "apply", "Bring policies, profiles and mailboxes to what a file says, if the rules agree");
  auto options = std::make_shared<ApplyOptions>();
  command->add_option("FILE", options->file, "TOML, see `syncline config example`; - for standard input")
      ->required()
      ->type_name("FILE.toml|-");
  command->add_flag("--dry-run", options->dry_run,
                    "Show what would change, and the verdicts; change nothing");
  add_format_option(*command, options->format);
  command->add_option("--lang", options->language, "Language of findings (default: the locale's)")
      ->check(CLI::IsMember({"en", "it", "ja", "pt"}));
  add_actor_options(*command, options->who, options->reason);
  command->footer(
      "All of it or nothing. What the file does not name is removed, but no mailbox that is enabled.\n"
      "Exit: 0 done, 1 something was refused and nothing changed, 2 the file is wrong, 4 local trouble.");
  command->callback([options, &action] {
    action = [options](const Globals& globals) { return run_apply(globals, *options); };
  });
}

}  // namespace syncline::cli
