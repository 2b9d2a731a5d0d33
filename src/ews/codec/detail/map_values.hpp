// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Small values: ids, addresses, properties, folders, recurrence, time zones. Each function serves both
// directions (fields.hpp): `o` is const with a Writer.
#include <string>
#include <variant>
#include <vector>

#include "ews/codec/detail/fields.hpp"
#include "ews/types/folder.hpp"
#include "ews/types/property_path.hpp"
#include "ews/types/recurrence.hpp"
#include "ews/types/time_zone.hpp"

namespace syncline::ews::codec {

template <class Io, class O>
void map(Io& io, ewst__ItemId& g, O& o) {
  io(g.Id, o.id);
  io(g.ChangeKey, o.change_key);
}
template <class Io, class O>
void map(Io& io, ewst__FolderId& g, O& o) {
  io(g.Id, o.id);
  io(g.ChangeKey, o.change_key);
}
template <class Io, class O>
void map(Io& io, ewst__AttachmentId& g, O& o) {
  io(g.Id, o.id);
  io(g.RootItemId, o.root_item_id);
  io(g.RootItemChangeKey, o.root_item_change_key);
}
template <class Io, class O>
void map(Io& io, ewst__AlternateId& g, O& o) {
  io(g.Format, o.format);
  io(g.Id, o.id);
  io(g.Mailbox, o.mailbox);
  io(g.IsArchive, o.is_archive);
}
template <class Io, class O>
void map(Io& io, ewst__EmailAddress& g, O& o) {
  io(g.Name, o.name);
  io(g.EmailAddress, o.address);
  io(g.RoutingType, o.routing_type);
  io(g.MailboxType, o.mailbox_type);
  io(g.ItemId, o.item_id);
  io(g.OriginalDisplayName, o.original_display_name);
}

template <class Io, class O>
void map(Io& io, ewst__ExtendedFieldUri& g, O& o) {
  io(g.DistinguishedPropertySetId, o.distinguished_property_set);
  io(g.PropertySetId, o.property_set_id);
  io(g.PropertyTag, o.property_tag);
  io(g.PropertyName, o.property_name);
  io(g.PropertyId, o.property_id);
  io(g.PropertyType, o.property_type);
}
inline void map(Reader& io, ewst__ExtendedProperty& g, ExtendedProperty& o) {
  io(g.ExtendedFieldURI, o.uri);
  auto& value = g.union_ExtendedProperty;
  if (g.__union_ExtendedProperty == SOAP_UNION__ewst__union_ExtendedProperty_Value) {
    if (value.Value != nullptr) o.values.push_back(std::move(*value.Value));
  } else if (g.__union_ExtendedProperty == SOAP_UNION__ewst__union_ExtendedProperty_Values) {
    o.is_array = true;
    if (value.Values != nullptr) o.values = std::move(value.Values->Value);
  }
}
inline void map(Writer& io, ewst__ExtendedProperty& g, const ExtendedProperty& o) {
  io(g.ExtendedFieldURI, o.uri);
  if (!o.is_array && o.values.size() == 1) {
    g.__union_ExtendedProperty = SOAP_UNION__ewst__union_ExtendedProperty_Value;
    io(g.union_ExtendedProperty.Value, std::optional(o.values.front()));
  } else if (o.is_array && !o.values.empty()) {
    g.__union_ExtendedProperty = SOAP_UNION__ewst__union_ExtendedProperty_Values;
    auto* values = g.union_ExtendedProperty.Values = io.make<ewst__PropertyValues>();
    for (const auto& value : o.values) values->Value.push_back(io.spell(value));
  } else {
    io.fail("missing-element", "an extended property needs one value, or an array of at least one");
  }
}

template <class Io, class O>
void map(Io& io, ewst__EffectiveRights& g, O& o) {
  io(g.CreateAssociated, o.create_associated);
  io(g.CreateContents, o.create_contents);
  io(g.CreateHierarchy, o.create_hierarchy);
  io(g.Delete, o.delete_);
  io(g.Modify, o.modify);
  io(g.Read, o.read);
  io(g.ViewPrivateItems, o.view_private_items);
}
template <class Io, class O>
void map(Io& io, ewst__BaseFolder& g, O& o) {
  io(g.FolderId, o.folder_id);
  io(g.ParentFolderId, o.parent_folder_id);
  io(g.FolderClass, o.folder_class);
  io(g.DisplayName, o.display_name);
  io(g.TotalCount, o.total_count);
  io(g.ChildFolderCount, o.child_folder_count);
  io.elements(g.ExtendedProperty, o.extended_properties);
  io(g.EffectiveRights, o.effective_rights);
  io(g.DistinguishedFolderId, o.distinguished_folder_id);
}
template <class Io, class O>
void map(Io& io, ewst__Folder& g, O& o) {
  map(io, static_cast<ewst__BaseFolder&>(g), o);
  io(g.UnreadCount, o.unread_count);
}

// Days of the week are one text of several words.
inline void days(Reader&, std::string& g, std::vector<Open<DayOfWeek>>& o) {
  for (const auto word : text::split(g, ' '))
    if (const auto day = text::trim(word); !day.empty()) o.push_back(Open<DayOfWeek>::parse(day));
}
inline void days(Writer& io, std::string& g, const std::vector<Open<DayOfWeek>>& o) {
  if (o.empty()) io.fail("missing-element", "a recurrence pattern without days");
  for (const auto& day : o) {
    if (!g.empty()) g += ' ';
    g += io.spell(day);
  }
}

template <class Io, class O>
void map(Io& io, ewst__RelativeYearlyPattern& g, O& o) {
  days(io, g.DaysOfWeek, o.days);
  io(g.DayOfWeekIndex, o.index);
  io(g.Month, o.month);
}
template <class Io, class O>
void map(Io& io, ewst__AbsoluteYearlyPattern& g, O& o) {
  io(g.DayOfMonth, o.day_of_month);
  io(g.Month, o.month);
}
template <class Io, class O>
void map(Io& io, ewst__RelativeMonthlyPattern& g, O& o) {
  io(g.Interval, o.interval);
  days(io, g.DaysOfWeek, o.days);
  io(g.DayOfWeekIndex, o.index);
}
template <class Io, class O>
void map(Io& io, ewst__AbsoluteMonthlyPattern& g, O& o) {
  io(g.Interval, o.interval);
  io(g.DayOfMonth, o.day_of_month);
}
template <class Io, class O>
void map(Io& io, ewst__WeeklyPattern& g, O& o) {
  io(g.Interval, o.interval);
  days(io, g.DaysOfWeek, o.days);
  io(g.FirstDayOfWeek, o.first_day_of_week);
}
template <class Io, class O>
void map(Io& io, ewst__DailyPattern& g, O& o) {
  io(g.Interval, o.interval);
}
template <class Io, class O>
void map(Io& io, ewst__RegeneratingPattern& g, O& o) {
  io(g.Interval, o.interval);
}
template <class Io, class O>
void map(Io& io, ewst__NoEndRange& g, O& o) {
  io(g.StartDate, o.start);
}
template <class Io, class O>
void map(Io& io, ewst__EndDateRange& g, O& o) {
  io(g.StartDate, o.start);
  io(g.EndDate, o.end);
}
template <class Io, class O>
void map(Io& io, ewst__NumberedRange& g, O& o) {
  io(g.StartDate, o.start);
  io(g.NumberOfOccurrences, o.count);
}

// The two unions (of tasks and of appointments) are of different types and differ in their numbers.
#define SYNCLINE_UNION_READ(U, tag, member, Type) \
  case SOAP_UNION_##U##_##member:                 \
    io(value.member, o.emplace<Type>());          \
    break;
#define SYNCLINE_PATTERNS(X, U)                                \
  X(U, tag, RelativeYearlyRecurrence, RelativeYearlyPattern)   \
  X(U, tag, AbsoluteYearlyRecurrence, AbsoluteYearlyPattern)   \
  X(U, tag, RelativeMonthlyRecurrence, RelativeMonthlyPattern) \
  X(U, tag, AbsoluteMonthlyRecurrence, AbsoluteMonthlyPattern) \
  X(U, tag, WeeklyRecurrence, WeeklyPattern)                   \
  X(U, tag, DailyRecurrence, DailyPattern)
#define SYNCLINE_RANGES(X, U)                \
  X(U, tag, NoEndRecurrence, NoEndRange)     \
  X(U, tag, EndDateRecurrence, EndDateRange) \
  X(U, tag, NumberedRecurrence, NumberedRange)
#define SYNCLINE_UNION_WRITE(U, tag, member, Type)       \
  if (const auto* alternative = std::get_if<Type>(&o)) { \
    tag = SOAP_UNION_##U##_##member;                     \
    io(value.member, *alternative);                      \
    return;                                              \
  }

inline void pattern(Reader& io, int tag, _ewst__union_Recurrence& value, RecurrencePattern& o) {
  switch (tag) { SYNCLINE_PATTERNS(SYNCLINE_UNION_READ, _ewst__union_Recurrence) }
}
inline void pattern(Writer& io, int& tag, _ewst__union_Recurrence& value, const RecurrencePattern& o) {
  SYNCLINE_PATTERNS(SYNCLINE_UNION_WRITE, _ewst__union_Recurrence)
  io.fail("missing-element", "a recurrence without a pattern for appointments");
}
inline void range(Reader& io, int tag, _ewst__union_Recurrence_& value, RecurrenceRange& o) {
  switch (tag) { SYNCLINE_RANGES(SYNCLINE_UNION_READ, _ewst__union_Recurrence_) }
}
inline void range(Writer& io, int& tag, _ewst__union_Recurrence_& value, const RecurrenceRange& o) {
  SYNCLINE_RANGES(SYNCLINE_UNION_WRITE, _ewst__union_Recurrence_)
  io.fail("missing-element", "a recurrence without a range");
}

inline void pattern(Reader& io, int tag, _ewst__union_TaskRecurrence& value, RecurrencePattern& o) {
  using Unit = RegeneratingPattern::Unit;
  const auto regeneration = [&](ewst__RegeneratingPattern* g, Unit unit) {
    auto& made = o.emplace<RegeneratingPattern>();
    made.unit = unit;
    io(g, made);
  };
  switch (tag) {
    SYNCLINE_PATTERNS(SYNCLINE_UNION_READ, _ewst__union_TaskRecurrence)
    case SOAP_UNION__ewst__union_TaskRecurrence_DailyRegeneration:
      return regeneration(value.DailyRegeneration, Unit::day);
    case SOAP_UNION__ewst__union_TaskRecurrence_WeeklyRegeneration:
      return regeneration(value.WeeklyRegeneration, Unit::week);
    case SOAP_UNION__ewst__union_TaskRecurrence_MonthlyRegeneration:
      return regeneration(value.MonthlyRegeneration, Unit::month);
    case SOAP_UNION__ewst__union_TaskRecurrence_YearlyRegeneration:
      return regeneration(value.YearlyRegeneration, Unit::year);
  }
}
inline void pattern(Writer& io, int& tag, _ewst__union_TaskRecurrence& value, const RecurrencePattern& o) {
  SYNCLINE_PATTERNS(SYNCLINE_UNION_WRITE, _ewst__union_TaskRecurrence)
  if (const auto* regenerating = std::get_if<RegeneratingPattern>(&o)) {
    switch (regenerating->unit) {
      case RegeneratingPattern::Unit::day:
        tag = SOAP_UNION__ewst__union_TaskRecurrence_DailyRegeneration;
        return io(value.DailyRegeneration, *regenerating);
      case RegeneratingPattern::Unit::week:
        tag = SOAP_UNION__ewst__union_TaskRecurrence_WeeklyRegeneration;
        return io(value.WeeklyRegeneration, *regenerating);
      case RegeneratingPattern::Unit::month:
        tag = SOAP_UNION__ewst__union_TaskRecurrence_MonthlyRegeneration;
        return io(value.MonthlyRegeneration, *regenerating);
      case RegeneratingPattern::Unit::year:
        tag = SOAP_UNION__ewst__union_TaskRecurrence_YearlyRegeneration;
        return io(value.YearlyRegeneration, *regenerating);
    }
  }
  io.fail("missing-element", "a recurrence without a pattern");
}
inline void range(Reader& io, int tag, _ewst__union_TaskRecurrence_& value, RecurrenceRange& o) {
  switch (tag) { SYNCLINE_RANGES(SYNCLINE_UNION_READ, _ewst__union_TaskRecurrence_) }
}
inline void range(Writer& io, int& tag, _ewst__union_TaskRecurrence_& value, const RecurrenceRange& o) {
  SYNCLINE_RANGES(SYNCLINE_UNION_WRITE, _ewst__union_TaskRecurrence_)
  io.fail("missing-element", "a recurrence without a range");
}
#undef SYNCLINE_UNION_READ
#undef SYNCLINE_UNION_WRITE
#undef SYNCLINE_PATTERNS
#undef SYNCLINE_RANGES

template <class Io, class O>
void map(Io& io, ewst__Recurrence& g, O& o) {
  pattern(io, g.__union_Recurrence, g.union_Recurrence, o.pattern);
  range(io, g.__union_Recurrence_, g.union_Recurrence_, o.range);
}
template <class Io, class O>
void map(Io& io, ewst__TaskRecurrence& g, O& o) {
  pattern(io, g.__union_TaskRecurrence, g.union_TaskRecurrence, o.pattern);
  range(io, g.__union_TaskRecurrence_, g.union_TaskRecurrence_, o.range);
}
template <class Io, class O>
void map(Io& io, ewst__Occurrence& g, O& o) {
  io(g.ItemId, o.item_id);
  io(g.Start, o.start);
  io(g.End, o.end);
  io(g.OriginalStart, o.original_start);
}
template <class Io, class O>
void map(Io& io, ewst__DeletedOccurrence& g, O& o) {
  io(g.Start, o);
}

template <class Io, class O>
void map(Io& io, ewst__Period& g, O& o) {
  const auto text = [&](auto*& from, auto& to) {
    if constexpr (Io::reading) {
      if (from != nullptr) io(*from, to);
    } else {
      io(*(from = io.template make<std::string>()), to);
    }
  };
  text(g.Bias, o.bias);
  text(g.Name, o.name);
  text(g.Id, o.id);
}
template <class Io, class O>
void map(Io& io, ewst__TransitionTarget& g, O& o) {
  io(g.__item, o.target);
  io(g.Kind, o.target_kind);
}
inline void map(Reader& io, __ewst__union_Transitions& g, TimeZoneTransition& o) {
  auto& value = g.union_Transitions;
  switch (g.__union_Transitions) {
    case SOAP_UNION__ewst__union_Transitions_Transition:
      io(value.Transition->To, o);
      break;
    case SOAP_UNION__ewst__union_Transitions_AbsoluteDateTransition:
      io(value.AbsoluteDateTransition->To, o);
      io(value.AbsoluteDateTransition->DateTime, o.when.emplace<AbsoluteDateTransition>().at);
      break;
    case SOAP_UNION__ewst__union_Transitions_RecurringDayTransition: {
      auto& g_day = *value.RecurringDayTransition;
      auto& day = o.when.emplace<RecurringDayTransition>();
      io(g_day.To, o);
      io(g_day.TimeOffset, day.time_offset);
      io(g_day.Month, day.month);
      io(g_day.DayOfWeek, day.day_of_week);
      io(g_day.Occurrence, day.occurrence);
      break;
    }
    case SOAP_UNION__ewst__union_Transitions_RecurringDateTransition: {
      auto& g_date = *value.RecurringDateTransition;
      auto& date = o.when.emplace<RecurringDateTransition>();
      io(g_date.To, o);
      io(g_date.TimeOffset, date.time_offset);
      io(g_date.Month, date.month);
      io(g_date.Day, date.day);
      break;
    }
  }
}
inline void map(Writer& io, __ewst__union_Transitions& g, const TimeZoneTransition& o) {
  auto& value = g.union_Transitions;
  if (std::holds_alternative<InitialTransition>(o.when)) {
    g.__union_Transitions = SOAP_UNION__ewst__union_Transitions_Transition;
    io((value.Transition = io.make<ewst__Transition>())->To, o);
  } else if (const auto* absolute = std::get_if<AbsoluteDateTransition>(&o.when)) {
    g.__union_Transitions = SOAP_UNION__ewst__union_Transitions_AbsoluteDateTransition;
    value.AbsoluteDateTransition = io.make<ewst__AbsoluteDateTransition>();
    io(value.AbsoluteDateTransition->To, o);
    io(value.AbsoluteDateTransition->DateTime, absolute->at);
  } else if (const auto* day = std::get_if<RecurringDayTransition>(&o.when)) {
    g.__union_Transitions = SOAP_UNION__ewst__union_Transitions_RecurringDayTransition;
    auto& g_day = *(value.RecurringDayTransition = io.make<ewst__RecurringDayTransition>());
    io(g_day.To, o);
    io(g_day.TimeOffset, day->time_offset);
    io(g_day.Month, day->month);
    io(g_day.DayOfWeek, day->day_of_week);
    io(g_day.Occurrence, day->occurrence);
  } else if (const auto* date = std::get_if<RecurringDateTransition>(&o.when)) {
    g.__union_Transitions = SOAP_UNION__ewst__union_Transitions_RecurringDateTransition;
    auto& g_date = *(value.RecurringDateTransition = io.make<ewst__RecurringDateTransition>());
    io(g_date.To, o);
    io(g_date.TimeOffset, date->time_offset);
    io(g_date.Month, date->month);
    io(g_date.Day, date->day);
  }
}

inline void transitions(Reader& io, ewst__Transitions* g, std::vector<TimeZoneTransition>& o) {
  if (g == nullptr) return;
  o.reserve(g->__union_Transitions.size());
  for (auto& element : g->__union_Transitions) map(io, element, o.emplace_back());
}
inline void transitions(Writer& io, ewst__Transitions*& g, const std::vector<TimeZoneTransition>& o) {
  if (o.empty()) return;
  if (g == nullptr) g = io.make<ewst__Transitions>();
  for (const auto& transition : o) {
    auto& element = g->__union_Transitions.emplace_back();
    element.soap_default(nullptr);
    map(io, element, transition);
  }
}
template <class Io, class O>
void map(Io& io, ewst__Transitions& g, O& o) {
  io(g.Id, o.id);
  auto* list = &g;
  transitions(io, list, o.transitions);
}

inline void map(Reader& io, ewst__TimeZoneDefinition& g, TimeZoneDefinition& o) {
  io(g.Id, o.id);
  io(g.Name, o.name);
  io.list(g.Periods, &ewst__Periods::Period, o.periods);
  io.list(g.TransitionsGroups, &ewst__TransitionsGroups::TransitionsGroup, o.groups);
  transitions(io, g.Transitions, o.transitions);
}
/// Without periods it is a name: then nothing but the id is written, which is how the schema wants a
/// reference.
inline void map(Writer& io, ewst__TimeZoneDefinition& g, const TimeZoneDefinition& o) {
  io(g.Id, o.id);
  io(g.Name, o.name);
  if (o.periods.empty()) {
    if (!o.id) io.fail("missing-element", "a time zone without an id and without periods");
    return;
  }
  io.list(g.Periods, &ewst__Periods::Period, o.periods);
  io.list(g.TransitionsGroups, &ewst__TransitionsGroups::TransitionsGroup, o.groups);
  transitions(io, g.Transitions, o.transitions);
}

}  // namespace syncline::ews::codec
