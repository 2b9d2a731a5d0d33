// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/apply_text.hpp"

#include <fmt/format.h>

#include <boost/json/serialize.hpp>
#include <map>

#include "cli/findings_text.hpp"
#include "cli/layout.hpp"
#include "cli/organisation_command.hpp"

namespace syncline::cli {
namespace {

namespace json = boost::json;

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

void append_outbound(std::string& out, const std::vector<service::OutboundCount>& counts) {
  constexpr std::size_t most_lines = 40;
  std::size_t lines = 0;
  std::size_t more = 0;
  for (const service::OutboundCount& count : counts) {
    if (count.before == 0 && count.after == 0) continue;
    if (++lines > most_lines) {
      ++more;
      continue;
    }
    out += fmt::format("{}: the filters send {} {}{} there, {} before\n", shown(count.mailbox), count.after,
                       model::to_string(count.kind), count.after == 1 ? "" : "s", count.before);
  }
  if (more > 0) out += fmt::format("… and {} lines of other mailboxes\n", more);
}

}  // namespace

void append_apply_text(std::string& out, const service::ApplyOutcome& outcome, rules::Language language,
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
  for (const std::string& warning : outcome.warnings) append_wrapped(out, "warning: ", shown(warning));
  append_outbound(out, outcome.outbound);
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

void append_verdicts(std::string& out, const service::ApplyOutcome& outcome) {
  for (const service::Judged& judged : outcome.judged)
    out += fmt::format("{}: {}\n", shown(judged.address), to_string(judged.judgement.verdict));
  if (!outcome.judged.empty()) out += "\n";
}

}  // namespace syncline::cli
