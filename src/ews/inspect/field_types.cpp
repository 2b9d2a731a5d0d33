// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/inspect/field_types.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "base/text.hpp"

namespace syncline::ews::inspect {
namespace {

using Names = std::string_view;

// Sorted, for binary search. Names that are boolean, numeric or a time in one place and text in another are
// in the lists: the value decides.
constexpr std::array boolean_names = std::to_array<Names>({
    "AllowNewTimeProposal",
    "AtAllMention",
    "AutoDeclineFutureRequestsWhenOOF",
    "BlockStatus",
    "CreateAssociated",
    "CreateContents",
    "CreateHierarchy",
    "Delete",
    "DeliveryRestricted",
    "DoNotForwardMeeting",
    "EditAllowed",
    "Enabled",
    "ExportAllowed",
    "ExtractAllowed",
    "FilterHtmlContent",
    "ForwardAllowed",
    "HasAttachment",
    "HasAttachments",
    "HasBeenProcessed",
    "HasBlockedImages",
    "HasChanged",
    "HasIrm",
    "HasPicture",
    "HasQuota",
    "IncludeMimeContent",
    "IncludesLastFolderInRange",
    "IncludesLastItemInRange",
    "InvalidRecipient",
    "MailboxFull",
    "MapiSendRichInfo",
    "MeetingRequestWasSent",
    "MentionedMe",
    "Modify",
    "ModifyRecipientsAllowed",
    "MoreEvents",
    "MoreResultsAvailable",
    "NotInBirthdayCalendar",
    "OutlookRuleBlobExists",
    "PreferAccessibleContent",
    "PrintAllowed",
    "ProgrammaticAccessAllowed",
    "Read",
    "ReadFlag",
    "ReminderIsSet",
    "ReplyAllAllowed",
    "ReplyAllowed",
    "ResolveAvailability",
    "ReturnFullTimeZoneData",
    "ReturnNewItemIds",
    "SearchArchiveOnly",
    "SuppressReadReceipts",
    "UnifiedInbox",
    "ViewPrivateItems",
});
constexpr std::array number_names = std::to_array<Names>({
    "AbsoluteDenominator",
    "Accuracy",
    "ActualWork",
    "AdjacentMeetingCount",
    "Altitude",
    "AltitudeAccuracy",
    "AppointmentSequenceNumber",
    "AppointmentState",
    "Bias",
    "ChangeCount",
    "ChildFolderCount",
    "ConferenceType",
    "ConflictingMeetingCount",
    "Count",
    "DayOfMonth",
    "DayOrder",
    "DescriptiveLinkKey",
    "DurationInMinutes",
    "EndTimeInMinutes",
    "FileSize",
    "FolderSize",
    "GlobalMessageCount",
    "GlobalSize",
    "GlobalUnreadCount",
    "IndexedPagingOffset",
    "InstanceIndex",
    "Interval",
    "ItemCount",
    "ItemHits",
    "Latitude",
    "LineNumber",
    "LinePosition",
    "Longitude",
    "MajorBuildNumber",
    "MajorVersion",
    "MaxChangesReturned",
    "MaxEntriesReturned",
    "MaximumSize",
    "MessageCount",
    "MinorBuildNumber",
    "MinorVersion",
    "NumberOfMembers",
    "NumberOfOccurrences",
    "NumeratorOffset",
    "Occurrence",
    "Offset",
    "PageItemCount",
    "PageItemSize",
    "PercentComplete",
    "Rank",
    "RelevanceScore",
    "ReminderMinutesBeforeStart",
    "RetentionPeriod",
    "ReturnedItems",
    "Size",
    "StartTimeInMinutes",
    "StorageQuota",
    "Timeout",
    "TotalConversationsInView",
    "TotalCount",
    "TotalItemsInView",
    "TotalMemberCount",
    "TotalWork",
    "UnreadCount",
});
constexpr std::array time_names = std::to_array<Names>({
    "AppointmentReplyTime",
    "ApprovalDecisionTime",
    "AssignedTime",
    "Birthday",
    "CompleteDate",
    "CreatedTime",
    "CreationTime",
    "CurrentMeetingTime",
    "DateTime",
    "DateTimeCreated",
    "DateTimeReceived",
    "DateTimeSent",
    "DateTimeStamp",
    "DueDate",
    "End",
    "EndDate",
    "EndDateTime",
    "EndTime",
    "EndTimeUtc",
    "ExpirationDateTime",
    "FromDate",
    "GlobalLastDeliveryTime",
    "LastDeliveryTime",
    "LastModifiedTime",
    "LastResponseTime",
    "LastSync",
    "MeetingTime",
    "OccurrenceDate",
    "OriginalStart",
    "PasswordExpirationDate",
    "PostedTime",
    "ProposedEnd",
    "ProposedStart",
    "ReceivedTime",
    "RecurrenceId",
    "ReminderDueBy",
    "ReminderNextTime",
    "ReminderTime",
    "RetentionDate",
    "SentTime",
    "Start",
    "StartDate",
    "StartDateTime",
    "StartTime",
    "StartTimeUtc",
    "SubmitTime",
    "SubmittedTime",
    "TimeStamp",
    "ToDate",
    "WeddingAnniversary",
});
constexpr std::array list_names = std::to_array<Names>({
    "AdjacentMeetings",
    "AttachmentIds",
    "Attachments",
    "BccRecipients",
    "Categories",
    "CcRecipients",
    "Children",
    "Companies",
    "ConflictingMeetings",
    "DeletedOccurrences",
    "ExceptionOccurrences",
    "Folders",
    "InternetMessageHeaders",
    "ItemIds",
    "Items",
    "LikedBy",
    "Members",
    "ModifiedOccurrences",
    "OptionalAttendees",
    "ReplyTo",
    "RequiredAttendees",
    "ResolutionSet",
    "Resources",
    "ResponseObjects",
    "ToRecipients",
    "Updates",
    "UserSettings",
    "VotingRequests",
});
constexpr std::array dictionary_names = std::to_array<Names>({
    "EmailAddresses",
    "ImAddresses",
    "PhoneNumbers",
    "PhysicalAddresses",
});
constexpr std::array person_names = std::to_array<Names>({
    "From",
    "Organizer",
    "ReceivedBy",
    "ReceivedRepresenting",
    "Sender",
    "SendingAs",
});
static_assert(std::ranges::is_sorted(boolean_names) && std::ranges::is_sorted(number_names) &&
              std::ranges::is_sorted(time_names) && std::ranges::is_sorted(list_names) &&
              std::ranges::is_sorted(dictionary_names) && std::ranges::is_sorted(person_names));

constexpr bool is_upper(char c) noexcept {
  return c >= 'A' && c <= 'Z';
}

struct WrittenTime {
  std::chrono::sys_days date;
  std::chrono::seconds of_day;
  std::string_view fraction;  ///< digits without trailing zeros
  std::optional<std::chrono::minutes> offset;
};

std::optional<int> digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<std::chrono::sys_days> take_date(std::string_view& text) {
  const auto year = digits(text, 4);
  if (!year || !take(text, '-')) return std::nullopt;
  const auto month = digits(text, 2);
  if (!month || !take(text, '-')) return std::nullopt;
  const auto day = digits(text, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date);
}

/// XML Schema part 2, sections 3.2.7.3 (offset) and 3.2.7.1 (up to 14:00).
bool take_offset(std::string_view& text, std::optional<std::chrono::minutes>& offset) {
  if (text.empty()) return true;
  if (take(text, 'Z')) {
    offset = std::chrono::minutes(0);
    return text.empty();
  }
  const bool is_minus = text.front() == '-';
  if (!take(text, '-') && !take(text, '+')) return false;
  const auto hours = digits(text, 2);
  if (!hours || !take(text, ':')) return false;
  const auto minutes = digits(text, 2);
  if (!minutes || *hours > 14 || *minutes > 59 || !text.empty()) return false;
  offset = std::chrono::minutes((*hours * 60 + *minutes) * (is_minus ? -1 : 1));
  return true;
}

std::optional<WrittenTime> read_time(std::string_view text) {
  text = text::trim(text);
  WrittenTime time{};
  const auto date = take_date(text);
  if (!date || !take(text, 'T')) return std::nullopt;
  time.date = *date;
  const auto hour = digits(text, 2);
  if (!hour || !take(text, ':')) return std::nullopt;
  const auto minute = digits(text, 2);
  if (!minute || !take(text, ':')) return std::nullopt;
  const auto second = digits(text, 2);
  if (!second || *hour > 24 || *minute > 59 || *second > 59) return std::nullopt;
  if (*hour == 24 && (*minute != 0 || *second != 0)) return std::nullopt;
  time.of_day = std::chrono::seconds(*hour * 3600 + *minute * 60 + *second);
  if (take(text, '.')) {
    const std::size_t length = std::min(text.find_first_not_of("0123456789"), text.size());
    if (length == 0) return std::nullopt;
    time.fraction = text.substr(0, length);
    text.remove_prefix(length);
    const std::size_t last = time.fraction.find_last_not_of('0');
    time.fraction = last == std::string_view::npos ? std::string_view{} : time.fraction.substr(0, last + 1);
  }
  if (!take_offset(text, time.offset)) return std::nullopt;
  return time;
}

std::string show_date(std::chrono::sys_days day) {
  const std::chrono::year_month_day date(day);
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

}  // namespace

FieldType type_of(std::string_view name) noexcept {
  if (std::ranges::binary_search(boolean_names, name)) return FieldType::boolean;
  if (std::ranges::binary_search(number_names, name)) return FieldType::number;
  if (std::ranges::binary_search(time_names, name)) return FieldType::date_time;
  // Microsoft's own rule for naming: IsRead, CanDelete.
  if (name.size() > 2 && name.starts_with("Is") && is_upper(name[2])) return FieldType::boolean;
  if (name.size() > 3 && name.starts_with("Can") && is_upper(name[3])) return FieldType::boolean;
  return FieldType::text;
}

bool is_list(std::string_view name) noexcept {
  return std::ranges::binary_search(list_names, name);
}
bool is_dictionary(std::string_view name) noexcept {
  return std::ranges::binary_search(dictionary_names, name);
}
bool is_person(std::string_view name) noexcept {
  return std::ranges::binary_search(person_names, name);
}
bool is_repeated(std::string_view name) noexcept {
  return name == "ExtendedProperty";
}

std::string lower_camel(std::string_view name) {
  std::string out(name);
  for (std::size_t i = 0; i < out.size() && is_upper(out[i]); ++i) {
    if (i > 0 && i + 1 < out.size() && !is_upper(out[i + 1])) break;
    out[i] = static_cast<char>(out[i] + 32);
  }
  return out;
}

std::optional<std::string> to_utc(std::string_view text, bool no_offset_is_utc) {
  const auto time = read_time(text);
  if (!time) return std::nullopt;
  const auto moment =
      std::chrono::sys_seconds(time->date) + time->of_day - time->offset.value_or(std::chrono::minutes(0));
  const auto day = std::chrono::floor<std::chrono::days>(moment);
  // Year 0 or 10000 after the shift: RFC 3339 cannot say it.
  const int year = static_cast<int>(std::chrono::year_month_day(day).year());
  if (year < 0 || year > 9999) return std::nullopt;
  const std::chrono::hh_mm_ss clock(moment - day);
  return fmt::format("{}T{:02}:{:02}:{:02}{}{}{}", show_date(day), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(), time->fraction.empty() ? "" : ".",
                     time->fraction, time->offset || no_offset_is_utc ? "Z" : "");
}

std::optional<std::string> written_date(std::string_view text) {
  if (const auto time = read_time(text)) return show_date(time->date);
  text = text::trim(text);
  const auto date = take_date(text);
  std::optional<std::chrono::minutes> offset;
  if (!date || !take_offset(text, offset)) return std::nullopt;
  return show_date(*date);
}

std::optional<std::string> nearest_date(std::string_view text) {
  const auto time = read_time(text);
  if (!time) return written_date(text);
  return show_date(time->date + std::chrono::days(time->of_day >= std::chrono::hours(12) ? 1 : 0));
}

}  // namespace syncline::ews::inspect
