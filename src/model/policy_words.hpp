// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The words of the policies' enumerations.
#include "model/enum_words.hpp"
#include "model/policies.hpp"

namespace syncline::model {

template <>
struct EnumWords<Adoption> {
  static constexpr EnumWord<Adoption> all[] = {{Adoption::none, "none"},
                                               {Adoption::category, "category"},
                                               {Adoption::known_contacts, "known_contacts"},
                                               {Adoption::all, "all"}};
};
template <>
struct EnumWords<ConflictWinner> {
  static constexpr EnumWord<ConflictWinner> all[] = {{ConflictWinner::exchange, "exchange"},
                                                     {ConflictWinner::record, "record"},
                                                     {ConflictWinner::newest, "newest"},
                                                     {ConflictWinner::ask, "ask"}};
};
template <>
struct EnumWords<DeleteRule> {
  static constexpr EnumWord<DeleteRule> all[] = {{DeleteRule::unlink, "unlink"},
                                                 {DeleteRule::remove, "remove"}};
};
template <>
struct EnumWords<MailFilter> {
  static constexpr EnumWord<MailFilter> all[] = {{MailFilter::all, "all"},
                                                 {MailFilter::replies, "replies"},
                                                 {MailFilter::known_contacts, "known_contacts"},
                                                 {MailFilter::known_records, "known_records"},
                                                 {MailFilter::none, "none"}};
};
template <>
struct EnumWords<Direction> {
  static constexpr EnumWord<Direction> all[] = {{Direction::both, "both"},
                                                {Direction::to_exchange, "to_exchange"},
                                                {Direction::to_record, "to_record"},
                                                {Direction::none, "none"}};
};
template <>
struct EnumWords<OutboundFilter::Kind> {
  static constexpr EnumWord<OutboundFilter::Kind> all[] = {{OutboundFilter::Kind::owner, "owner"},
                                                           {OutboundFilter::Kind::attendee, "attendee"},
                                                           {OutboundFilter::Kind::organizer, "organizer"},
                                                           {OutboundFilter::Kind::expression, "expression"}};
};

}  // namespace syncline::model
