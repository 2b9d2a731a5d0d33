// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/check_report.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "cli/layout.hpp"
#include "routing/rules/report_texts.hpp"

namespace syncline::cli {
namespace {

namespace texts = rules::texts;
using rules::Field;
using rules::Severity;
using rules::Verdict;

std::string display(const rules::FieldValues& values, Field field, rules::Language language) {
  if (values.is_empty(field)) return std::string{translated(language, texts::kEmptyValue)};
  return text::escape_for_display(values.printed(field));
}

}  // namespace

std::string printed(const router::LegRoute& leg, rules::Language language) {
  const std::string_view driver = to_string(leg.driver);
  if (leg.location.empty()) {
    return fmt::format("{} {} ({})", driver, translated(language, texts::kByAutodiscover),
                       to_string(leg.mechanism));
  }
  if (leg.driver == router::Driver::ews) {
    return fmt::format("{} {} ({})", driver, text::escape_for_display(leg.location),
                       to_string(leg.mechanism));
  }
  return fmt::format("{} {}:{} (TLS {}, {})", driver, text::escape_for_display(leg.location), leg.port,
                     to_string(leg.tls), to_string(leg.mechanism));
}

namespace {

constexpr std::size_t kRowWidth = 6;
constexpr std::size_t kVerdictWidth = 9;
constexpr std::size_t kMailboxWidth = 38;

std::string_view verdict_text(Verdict verdict) noexcept {
  if (verdict == Verdict::reject) return texts::kReject;
  return verdict == Verdict::warn ? texts::kWarn : texts::kAccept;
}

std::string_view severity_text(Severity severity) noexcept {
  if (severity == Severity::reject) return texts::kReject;
  return severity == Severity::warn ? texts::kWarn : texts::kInfo;
}

}  // namespace

void TextReport::append_header(std::string& out) const {
  out += padded(tr(texts::kRow), kRowWidth) + padded(tr(texts::kVerdict), kVerdictWidth) +
         padded(tr(texts::kMailbox), kMailboxWidth);
  out.append(tr(texts::kProfile)).append("\n").append(kColumns, '-').append("\n");
}

void TextReport::append_finding(std::string& out, const rules::Finding& finding,
                                const rules::Assignment& assignment) const {
  const rules::Rule& rule = *finding.rule;
  const rules::FieldValues& values = assignment.values;
  const std::string indent(kRowWidth, ' ');
  const std::string deeper(kRowWidth + kVerdictWidth, ' ');
  out += indent + padded(tr(severity_text(finding.severity)), kVerdictWidth);
  out.append(rule.id).append("\n");
  append_wrapped(out, deeper, text::escape_for_display(message_of(rule, values, language_)));
  const auto labelled = [&](std::string_view label, const std::string& text) {
    append_wrapped(out, deeper + std::string{tr(label)} + " ", text);
  };
  labelled(texts::kToDo, text::escape_for_display(remedy_of(rule, values, language_)));
  const rules::Fix fix = fix_for(rule, assignment);
  const auto mark = [&](Field field) {
    return assignment.defaulted.contains(field) ? fmt::format(" {}", tr(texts::kAssumedMark)) : std::string{};
  };
  for (const Field field : fix.fields) {
    labelled(texts::kChange, fmt::format("{} = {} → {}{}", name_of(field), display(values, field, language_),
                                         display(fix.values, field, language_), mark(field)));
  }
  if (fix.fields.empty()) {
    const Field field = field_to_change(rule, assignment);
    labelled(texts::kLookAt,
             fmt::format("{} = {}{}", name_of(field), display(values, field, language_), mark(field)));
  }
}

void TextReport::append(std::string& out, const JudgedRow& row) const {
  const rules::FieldValues& values = row.assignment.values;
  std::string mailbox = values.is_empty(Field::mbx_address)
                            ? std::string{tr(texts::kNoAddress)}
                            : text::escape_for_display(values.text(Field::mbx_address));
  if (row.input.id) mailbox += fmt::format(" [{}]", text::escape_for_display(*row.input.id));
  std::string profile = values.is(Field::prof_type, rules::Word::none) ? std::string{tr(texts::kNoProfile)}
                                                                       : values.printed(Field::prof_type);
  if (!values.is_empty(Field::prof_name))
    profile.append(" ").append(text::escape_for_display(values.text(Field::prof_name)));
  const std::string begin = padded(fmt::format("{}", row.input.number), kRowWidth) +
                            padded(tr(verdict_text(row.judgement.verdict)), kVerdictWidth);
  if (display_width(mailbox) < kMailboxWidth) {
    append_wrapped(out, begin + padded(mailbox, kMailboxWidth), profile);
  } else {
    append_wrapped(out, begin, mailbox);
    append_wrapped(out, std::string(kRowWidth + kVerdictWidth, ' '), profile);
  }
  for (const rules::Finding& finding : row.judgement.findings) append_finding(out, finding, row.assignment);
  const std::string indent(kRowWidth, ' ');
  const auto labelled = [&](std::string_view label, const std::string& text) {
    append_wrapped(out, indent + padded(tr(label), kVerdictWidth), text);
  };
  if (row.route) {
    std::string legs;
    const auto add = [&](std::string_view name, const std::optional<router::LegRoute>& leg) {
      if (!leg) return;
      if (!legs.empty()) legs += "; ";
      legs += fmt::format("{} {}", tr(name), printed(*leg, language_));
    };
    const auto same_as_incoming = [&](const std::optional<router::LegRoute>& leg) {
      return leg && row.route->incoming &&
             printed(*leg, language_) == printed(*row.route->incoming, language_);
    };
    add(texts::kIncoming, row.route->incoming);
    if (!same_as_incoming(row.route->outgoing) || !same_as_incoming(row.route->act)) {
      add(texts::kOutgoing, row.route->outgoing);
      add(texts::kAct, row.route->act);
    } else {
      // Exchange: one server for everything.
      legs = fmt::format("{}, {}, {}: {}", tr(texts::kIncoming), tr(texts::kOutgoing), tr(texts::kAct),
                         printed(*row.route->incoming, language_));
    }
    if (!legs.empty()) labelled(texts::kRoute, legs);
  }
  for (const std::string& note : row.notes) labelled(texts::kNote, text::escape_for_display(note));
}

void TextReport::append_summary(std::string& out, const Tally& tally) const {
  const auto number = [](std::uint64_t value) { return fmt::format("{}", value); };
  const std::string rows = number(tally.rows());
  const std::string accept = number(tally.count(Verdict::accept));
  const std::string warn = number(tally.count(Verdict::warn));
  const std::string reject = number(tally.count(Verdict::reject));
  const std::string bad = number(tally.bad_rows());
  const rules::Argument counts[] = {
      {"rows", rows}, {"accept", accept}, {"warn", warn}, {"reject", reject}, {"count", bad}};
  append_wrapped(out, "", rules::filled(tr(texts::kSummary), counts));
  if (tally.bad_rows() > 0) append_wrapped(out, "", rules::filled(tr(texts::kBadRows), counts));
  const auto by_rule = tally.by_rule();
  if (by_rule.empty()) {
    if (tally.rows() > 0) append_wrapped(out, "", tr(texts::kNothingFound));
    return;
  }
  out.append("\n").append(tr(texts::kByRule)).append("\n\n");
  constexpr std::size_t kCountWidth = 8;
  constexpr std::size_t kSeverityWidth = 10;
  out += padded(tr(texts::kRows), kCountWidth) + padded(tr(texts::kSeverity), kSeverityWidth);
  out.append(tr(texts::kRuleAndRemedy)).append("\n").append(kColumns, '-').append("\n");
  for (const auto& entry : by_rule) {
    out +=
        padded(number(entry.rows), kCountWidth) + padded(tr(severity_text(entry.severity)), kSeverityWidth);
    out.append(entry.rule->id).append("\n");
    append_wrapped(out, std::string(kCountWidth + kSeverityWidth, ' '), tr(entry.rule->remedy));
  }
  if (const auto assumed = tally.assumed(); !assumed.empty()) {
    out.push_back('\n');
    append_wrapped(out, "", tr(texts::kAssumed));
    std::string listed;
    for (const auto& entry : assumed) {
      if (!listed.empty()) listed += ", ";
      listed += fmt::format("{} ({})", name_of(entry.field), entry.rows);
    }
    append_wrapped(out, "  ", listed);
  }
  out.push_back('\n');
  append_wrapped(out, "", tr(texts::kMore));
}

}  // namespace syncline::cli
