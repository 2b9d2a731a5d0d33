// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/rules/intake/exchange_facts.hpp"

#include <array>
#include <cstddef>

#include "base/text.hpp"

namespace syncline::rules {
namespace {

using enum Word;

struct KnownType {
  std::string_view name;
  RecipientMeaning meaning;
};

constexpr RecipientMeaning here(Word type, Word kind) {
  return {exchange_onprem, type, kind};
}
constexpr RecipientMeaning in_the_cloud(Word type, Word kind) {
  return {exchange_online, type, kind};
}
constexpr RecipientMeaning not_a_mailbox(Word type) {
  return {other, type, user};
}
constexpr RecipientMeaning belongs_to_exchange() {
  return {exchange_onprem, mailbox, user, std::nullopt, false, true};
}

constexpr std::array kTypes{
    KnownType{"UserMailbox", here(mailbox, user)},
    KnownType{"LinkedMailbox", here(mailbox, user)},
    // A mailbox still on Exchange 2003, seen by a later shell.
    KnownType{"LegacyMailbox", {exchange_onprem, mailbox, user, v2003}},
    KnownType{"SharedMailbox", here(shared, queue)},
    KnownType{"TeamMailbox", here(shared, queue)},
    KnownType{"RoomMailbox", here(mailbox, user)},
    KnownType{"LinkedRoomMailbox", here(mailbox, user)},
    KnownType{"EquipmentMailbox", here(mailbox, user)},
    KnownType{"SchedulingMailbox", here(mailbox, user)},
    KnownType{"RemoteUserMailbox", in_the_cloud(mailbox, user)},
    KnownType{"RemoteSharedMailbox", in_the_cloud(shared, queue)},
    KnownType{"RemoteTeamMailbox", in_the_cloud(shared, queue)},
    KnownType{"RemoteRoomMailbox", in_the_cloud(mailbox, user)},
    KnownType{"RemoteEquipmentMailbox", in_the_cloud(mailbox, user)},
    // Mail for it is delivered somewhere else.
    KnownType{"MailUser", {other, mailbox, user, std::nullopt, true}},
    KnownType{"GuestMailUser", {other, mailbox, user, std::nullopt, true}},
    KnownType{"MailContact", not_a_mailbox(contact)},
    KnownType{"MailForestContact", not_a_mailbox(contact)},
    KnownType{"MailUniversalDistributionGroup", not_a_mailbox(distribution_list)},
    KnownType{"MailUniversalSecurityGroup", not_a_mailbox(distribution_list)},
    KnownType{"MailNonUniversalGroup", not_a_mailbox(distribution_list)},
    KnownType{"DynamicDistributionGroup", not_a_mailbox(distribution_list)},
    KnownType{"RoomList", not_a_mailbox(distribution_list)},
    KnownType{"GroupMailbox", {exchange_online, distribution_list, queue}},
    KnownType{"PublicFolder", not_a_mailbox(alias)},
    KnownType{"PublicFolderMailbox", belongs_to_exchange()},
    KnownType{"DiscoveryMailbox", belongs_to_exchange()},
    KnownType{"ArbitrationMailbox", belongs_to_exchange()},
    KnownType{"MonitoringMailbox", belongs_to_exchange()},
    KnownType{"AuditLogMailbox", belongs_to_exchange()},
    KnownType{"AuxAuditLogMailbox", belongs_to_exchange()},
    KnownType{"SystemMailbox", belongs_to_exchange()},
    KnownType{"SystemAttendantMailbox", belongs_to_exchange()},
    KnownType{"SupervisoryReviewPolicyMailbox", belongs_to_exchange()},
};

// The next number in `text`, which loses it and what stood before; nullopt at the end.
std::optional<int> next_number(std::string_view& text) noexcept {
  std::size_t i = 0;
  while (i < text.size() && (text[i] < '0' || text[i] > '9')) ++i;
  if (i == text.size()) return std::nullopt;
  int value = 0;
  for (; i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i) {
    if (value > 1'000'000) return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(i);
  return value;
}

}  // namespace

std::optional<RecipientMeaning> recipient_meaning(std::string_view recipient_type_details) noexcept {
  for (const KnownType& type : kTypes) {
    if (text::equals_ignore_case(type.name, recipient_type_details)) return type.meaning;
  }
  return std::nullopt;
}

std::optional<Word> exchange_version(std::string_view admin_display_version) noexcept {
  const auto major = next_number(admin_display_version);
  const auto minor = next_number(admin_display_version);
  if (!major || !minor) return std::nullopt;
  int build = next_number(admin_display_version).value_or(0);
  constexpr int kDirectoryOffset = 30000;
  if (build >= kDirectoryOffset) build -= kDirectoryOffset;
  // First builds: 2013 SP1 15.0.847, 2013 CU19 15.0.1365, 2016 CU8 15.1.1415, Subscription Edition 15.2.2562.
  switch (*major) {
    case 6:
      return v2003;
    case 8:
      return v2007;
    case 14:
      return *minor >= 3 ? v2010sp3 : v2010;
    case 15:
      if (*minor == 0) return build < 847 ? v2013 : build < 1365 ? v2013sp1 : v2013cu19;
      if (*minor == 1) return build < 1415 ? v2016rtm : v2016;
      if (*minor == 2) return build < 2562 ? v2019 : se;
      return std::nullopt;  // 15.20 and above are Exchange Online's
    default:
      return std::nullopt;
  }
}

}  // namespace syncline::rules
