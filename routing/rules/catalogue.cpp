// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/rules/catalogue.hpp"

#include <array>

#include "base/text.hpp"
#include "routing/rules/groups.hpp"

namespace syncline::rules {
namespace {

using enum Word;

std::vector<Group> build() {
  std::vector<Group> groups;
  for (const auto make : {request_and_mailbox, profile_record, placement, authentication,
                          transport_and_network, schedule_and_limits, feature_combinations, end_of_ews}) {
    Group group = make();
    for (Rule& rule : group.rules) {
      rule.fields = rule.condition.fields();
      rule.without_profile =
          group.letter == 'A' || rule.id == "PROFILE-MISSING" || rule.id == "PROFILE-DEFAULT-APPLIED";
    }
    groups.push_back(std::move(group));
  }
  return groups;
}

}  // namespace

std::string_view to_string(Severity severity) noexcept {
  switch (severity) {
    case Severity::reject:
      return "reject";
    case Severity::warn:
      return "warn";
    case Severity::info:
      return "info";
    case Severity::stage:
      return "stage";
  }
  return {};
}

std::span<const Group> groups() {
  static const std::vector<Group> kGroups = build();
  return kGroups;
}

std::span<const Rule* const> all_rules() {
  static const std::vector<const Rule*> kRules = [] {
    std::vector<const Rule*> rules;
    for (const Group& group : groups()) {
      for (const Rule& rule : group.rules) rules.push_back(&rule);
    }
    return rules;
  }();
  return kRules;
}

const Rule* find_rule(std::string_view id) {
  for (const Rule* rule : all_rules()) {
    if (text::equals_ignore_case(rule->id, id)) return rule;
  }
  return nullptr;
}

std::span<const ProtocolPair> allowed_pairs(Word profile_type) noexcept {
  static constexpr std::array kOnline{ProtocolPair{ews, ews}, ProtocolPair{graph, graph}};
  static constexpr std::array kOwnExchange{ProtocolPair{ews, ews}};
  static constexpr std::array kPop3{ProtocolPair{pop3, smtp}};
  static constexpr std::array kImap{ProtocolPair{imap, smtp}};
  static constexpr std::array kGmail{ProtocolPair{pop3, smtp}, ProtocolPair{imap, smtp}};
  switch (profile_type) {
    case exchange_online:
    case exchange_online_hybrid:
      return kOnline;
    case exchange_hybrid:
    case exchange_server:
      return kOwnExchange;
    case pop3_smtp:
      return kPop3;
    case imap_smtp:
      return kImap;
    case gmail:
      return kGmail;
    default:
      return {};
  }
}

}  // namespace syncline::rules
