// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A time zone definition as EWS says it (types.xsd: TimeZoneDefinitionType). Everything is kept as it was
// received, in its order and spelling, so that a zone nobody edited is sent back byte for byte (invariant
// 13).
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace syncline::model {

/// xs:duration, xs:dateTime or xs:int as written ("-PT60M" and "-PT1H" are the same bias but different
/// bytes).
using Lexical = std::string;

/// `bias` is minutes *west*: local + bias = UTC.
struct ZonePeriod {
  std::string id;
  std::string name;
  Lexical bias;
  friend bool operator==(const ZonePeriod&, const ZonePeriod&) = default;
};

struct ZoneTransitionTarget {
  enum class Kind : std::uint8_t { period, group };
  Kind kind = Kind::period;
  std::string id;
  friend bool operator==(const ZoneTransitionTarget&, const ZoneTransitionTarget&) = default;
};

/// EWS Transition: from the beginning of time.
struct ZoneTransitionAlways {
  friend bool operator==(const ZoneTransitionAlways&, const ZoneTransitionAlways&) = default;
};
/// EWS AbsoluteDateTransition; wall clock without a zone, in the offset that held before.
struct ZoneTransitionAt {
  Lexical date_time;
  friend bool operator==(const ZoneTransitionAt&, const ZoneTransitionAt&) = default;
};
/// EWS RecurringDayTransition: the `occurrence`-th (1 to 4, -1 last) `day_of_week` of `month`.
struct ZoneTransitionOnDay {
  Lexical time_offset;  ///< since midnight, in the offset that held before
  Lexical month;
  std::string day_of_week;
  Lexical occurrence;
  friend bool operator==(const ZoneTransitionOnDay&, const ZoneTransitionOnDay&) = default;
};
/// EWS RecurringDateTransition: `day` of `month`.
struct ZoneTransitionOnDate {
  Lexical time_offset;
  Lexical month;
  Lexical day;
  friend bool operator==(const ZoneTransitionOnDate&, const ZoneTransitionOnDate&) = default;
};

struct ZoneTransition {
  ZoneTransitionTarget to;
  std::variant<ZoneTransitionAlways, ZoneTransitionAt, ZoneTransitionOnDay, ZoneTransitionOnDate> when =
      ZoneTransitionAlways{};
  friend bool operator==(const ZoneTransition&, const ZoneTransition&) = default;
};

struct ZoneTransitionGroup {
  std::string id;
  std::vector<ZoneTransition> transitions;
  friend bool operator==(const ZoneTransitionGroup&, const ZoneTransitionGroup&) = default;
};

struct TimeZoneDefinition {
  std::string id;  ///< usually a Windows name
  std::string name;
  std::vector<ZonePeriod> periods;
  std::vector<ZoneTransitionGroup> groups;
  std::vector<ZoneTransition> transitions;
  friend bool operator==(const TimeZoneDefinition&, const TimeZoneDefinition&) = default;
  bool has_rules() const { return !periods.empty(); }
};

/// A record's startTimeZone or endTimeZone. What a server sent stays in `received` until someone edits the
/// zone
/// (`edit`); whoever writes to that server sends `received` when it is there. Two IANA zones may share a
/// Windows name (America/Winnipeg, America/Chicago): `iana` is what we know beyond it.
struct RecordTimeZone {
  std::string id;    ///< as the record's owner said it: Windows name, IANA name, or what a server sent
  std::string iana;  ///< empty: none fits; the definition is the zone
  std::optional<TimeZoneDefinition> received;

  /// Someone chose another zone: the received definition is of no use any more.
  void edit(std::string new_id, std::string new_iana) {
    id = std::move(new_id);
    iana = std::move(new_iana);
    received.reset();
  }
  friend bool operator==(const RecordTimeZone&, const RecordTimeZone&) = default;
};

}  // namespace syncline::model
