// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What the text output of `check`, `rules` and `route` says around the findings. English is the key of the
// translations, so each text stands here once, and a test walks the list.
#include <array>
#include <string_view>

namespace syncline::rules::texts {

inline constexpr std::string_view kRow = "Row";
inline constexpr std::string_view kVerdict = "Verdict";
inline constexpr std::string_view kMailbox = "Mailbox";
inline constexpr std::string_view kProfile = "Profile";
inline constexpr std::string_view kAccept = "accept";
inline constexpr std::string_view kWarn = "warn";
inline constexpr std::string_view kReject = "REJECT";
inline constexpr std::string_view kInfo = "info";
inline constexpr std::string_view kNoAddress = "(no address)";
inline constexpr std::string_view kNoProfile = "(no profile)";
inline constexpr std::string_view kToDo = "To do:";
inline constexpr std::string_view kChange = "Change:";
inline constexpr std::string_view kLookAt = "Look at:";
inline constexpr std::string_view kRoute = "Route:";
inline constexpr std::string_view kNote = "Note:";
inline constexpr std::string_view kEmptyValue = "(empty)";
inline constexpr std::string_view kAssumedMark = "(assumed: the input does not say)";
inline constexpr std::string_view kSummary =
    "{rows} rows checked: {accept} accepted, {warn} accepted with warnings, {reject} rejected.";
inline constexpr std::string_view kByRule = "Findings by rule, most frequent first:";
inline constexpr std::string_view kRows = "Rows";
inline constexpr std::string_view kSeverity = "Severity";
inline constexpr std::string_view kRuleAndRemedy = "Rule and what to do";
inline constexpr std::string_view kNothingFound = "No rule had anything to say.";
inline constexpr std::string_view kBadRows = "{count} rows could not be read and were not judged.";
inline constexpr std::string_view kAssumed =
    "Assumed, because the input does not say (rows that rely on it). Add these columns to be sure:";
inline constexpr std::string_view kMore = "`syncline rules show RULE` explains a rule.";
inline constexpr std::string_view kDisagreement =
    "{field} is stated as {stated}; from the other rows it would be {computed}. The stated value decides.";
inline constexpr std::string_view kDefaultProfileRoute =
    "The default profile decides the route: check the assignment again with that profile.";
inline constexpr std::string_view kGraphRoute =
    "Graph is known by name, but there is no driver for it yet: this assignment has no route.";
inline constexpr std::string_view kIncoming = "incoming";
inline constexpr std::string_view kOutgoing = "outgoing";
inline constexpr std::string_view kAct = "appointments, contacts, tasks";
inline constexpr std::string_view kNoLeg = "none";
inline constexpr std::string_view kByAutodiscover = "located by Autodiscover";
inline constexpr std::string_view kCondition = "Fires when:";
inline constexpr std::string_view kWhere = "where";
inline constexpr std::string_view kFields = "Fields:";
inline constexpr std::string_view kMessage = "Message:";
inline constexpr std::string_view kSource = "Source:";
inline constexpr std::string_view kStage = "warns while assigning, rejects while enabling";

inline constexpr std::array kAll{
    kRow,        kVerdict,       kMailbox,      kProfile, kAccept, kWarn,           kReject,
    kInfo,       kNoAddress,     kNoProfile,    kToDo,    kChange, kLookAt,         kRoute,
    kNote,       kEmptyValue,    kAssumedMark,  kSummary, kByRule, kRows,           kSeverity,
    kBadRows,    kRuleAndRemedy, kNothingFound, kAssumed, kMore,   kDisagreement,   kDefaultProfileRoute,
    kGraphRoute, kIncoming,      kOutgoing,     kAct,     kNoLeg,  kByAutodiscover, kCondition,
    kWhere,      kFields,        kMessage,      kSource,  kStage,
};

}  // namespace syncline::rules::texts
