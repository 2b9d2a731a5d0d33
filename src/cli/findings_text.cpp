// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/findings_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.hpp"
#include "cli/layout.hpp"

namespace syncline::cli {

void append_findings(std::string& out, const service::Judged& judged, rules::Language language,
                     rules::Severity severity) {
  for (const rules::Finding& finding : judged.judgement.findings) {
    if (finding.severity != severity) continue;
    const auto shown = [](const std::string& text) { return text::escape_for_display(text); };
    out += fmt::format("  {}\n", finding.rule->id);
    append_wrapped(out, "    ", shown(rules::message_of(*finding.rule, judged.assignment.values, language)));
    append_wrapped(out, "    → ", shown(rules::remedy_of(*finding.rule, judged.assignment.values, language)));
  }
}

void append_warnings_summary(std::string& out, const std::vector<service::Judged>& judged,
                             rules::Language language) {
  struct Seen {
    std::size_t mailboxes = 0;
    const service::Judged* first = nullptr;
  };
  std::map<const rules::Rule*, Seen> rules_seen;
  for (const service::Judged& one : judged) {
    for (const rules::Finding& finding : one.judgement.findings) {
      if (finding.severity != rules::Severity::warn) continue;
      Seen& seen = rules_seen[finding.rule];
      if (seen.first == nullptr) seen.first = &one;
      ++seen.mailboxes;
    }
  }
  std::vector<std::pair<const rules::Rule*, Seen>> sorted(rules_seen.begin(), rules_seen.end());
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return std::pair(b.second.mailboxes, a.first->id) < std::pair(a.second.mailboxes, b.first->id);
  });
  for (const auto& [rule, seen] : sorted) {
    const std::string who =
        seen.mailboxes == 1 ? seen.first->address : fmt::format("{} mailboxes", seen.mailboxes);
    out += fmt::format("warning {}, {}\n", rule->id, text::escape_for_display(who));
    append_wrapped(
        out, "  ",
        text::escape_for_display(rules::message_of(*rule, seen.first->assignment.values, language)));
  }
}

}  // namespace syncline::cli
