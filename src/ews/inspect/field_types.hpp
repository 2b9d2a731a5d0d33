// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What EWS's elements hold, by their names alone: enough to read any operation without its schema.
#include <optional>
#include <string>
#include <string_view>

namespace syncline::ews::inspect {

enum class FieldType { text, boolean, number, date_time };

/// The type of a simple element (or attribute) of Microsoft's types and messages namespaces; text for what we
/// do not know. A value that is not of its type is still to be shown as text.
FieldType type_of(std::string_view local_name) noexcept;

/// A container whose children are the entries of a list, whatever their names.
bool is_list(std::string_view local_name) noexcept;
/// A container of `Entry` elements with a `Key`.
bool is_dictionary(std::string_view local_name) noexcept;
/// A container of one `Mailbox`.
bool is_person(std::string_view local_name) noexcept;
/// A field that may repeat and so is always an array.
bool is_repeated(std::string_view local_name) noexcept;

/// EWS's name in lower camel case: "DateTimeReceived" → "dateTimeReceived", "UID" → "uid".
std::string lower_camel(std::string_view name);

/// xs:dateTime as UTC in RFC 3339 with "Z", a fraction only if it is not zero. Without an offset the time is
/// taken for UTC if `no_offset_is_utc`, else it stays without one. nullopt if it is no xs:dateTime.
std::optional<std::string> to_utc(std::string_view date_time, bool no_offset_is_utc);
/// The date of an xs:date or xs:dateTime as it was written, without offset: "2014-03-08-08:00" →
/// "2014-03-08".
std::optional<std::string> written_date(std::string_view text);
/// The date an all-day event starts or ends on. A server says midnight of a zone it may not name, in UTC: the
/// nearest midnight is meant.
std::optional<std::string> nearest_date(std::string_view date_time);

}  // namespace syncline::ews::inspect
