// SPDX-License-Identifier: GPL-3.0-or-later
// `syncline route`: which driver would serve each leg of an assignment, and why. A rejected one has no route.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/text.hpp"
#include "cli/assignment_rows.hpp"
#include "cli/command.hpp"
#include "cli/layout.hpp"
#include "routing/rules/report_texts.hpp"
#include "service/views/json_text.hpp"

namespace syncline::cli {
namespace {

namespace texts = rules::texts;
using rules::Field;
using service::append_json;

void append_leg(std::string& out, std::string_view name, const std::optional<router::LegRoute>& leg,
                rules::Language language) {
  const std::string label = fmt::format("  {}", padded(translated(language, name), 32));
  if (!leg) {
    append_wrapped(out, label, translated(language, texts::kNoLeg));
    return;
  }
  append_wrapped(out, label, printed(*leg, language));
  for (const std::string& why : leg->why)
    append_wrapped(out, std::string(6, ' '), text::escape_for_display(why));
}

void append_row_as_text(std::string& out, const JudgedRow& row, rules::Language language) {
  const rules::FieldValues& values = row.assignment.values;
  const std::string mailbox = values.is_empty(Field::mbx_address)
                                  ? std::string{translated(language, texts::kNoAddress)}
                                  : text::escape_for_display(values.text(Field::mbx_address));
  out += fmt::format("{} {}: {} → {}\n", translated(language, texts::kRow), row.input.number, mailbox,
                     values.printed(Field::prof_type));
  if (row.judgement.verdict == rules::Verdict::reject) {
    std::string ids;
    for (const rules::Finding& finding : row.judgement.findings) {
      if (finding.severity != rules::Severity::reject) continue;
      if (!ids.empty()) ids += ", ";
      ids += finding.rule->id;
    }
    append_wrapped(out, fmt::format("  {}: ", translated(language, texts::kReject)), ids);
  } else if (row.route) {
    append_leg(out, texts::kIncoming, row.route->incoming, language);
    append_leg(out, texts::kOutgoing, row.route->outgoing, language);
    append_leg(out, texts::kAct, row.route->act, language);
  }
  for (const std::string& note : row.notes) {
    append_wrapped(out, fmt::format("  {} ", translated(language, texts::kNote)),
                   text::escape_for_display(note));
  }
  out.push_back('\n');
}

ExitStatus run_route(const AssignmentOptions& options) {
  const rules::Language language = language_of(options);
  Output output;
  const auto visit = [&](const JudgedRow& row) {
    if (options.format == "json") {
      service::append_route_line(output.text(), row);
    } else {
      append_row_as_text(output.text(), row, language);
    }
    output.flush(false);
  };
  const ExitStatus status = for_each_assignment(options, visit, [] {});
  return output.flush(true) ? status : ExitStatus::local_trouble;
}

}  // namespace

void add_route(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("route", "Which driver serves each leg of an assignment, and why");
  auto options = std::make_shared<AssignmentOptions>();
  add_assignment_options(*command, *options);
  command->get_option("FILE")->required();
  command->callback(
      [options, &action] { action = [options](const Globals&) { return run_route(*options); }; });
}

}  // namespace syncline::cli
