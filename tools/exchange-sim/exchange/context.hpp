// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What every operation has at hand, how it finds the objects a request names, and how it says what went
// wrong.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "tools/exchange-sim/exchange/state.hpp"
#include "tools/exchange-sim/exchange/xml.hpp"
#include "tools/exchange-sim/exchange/zones.hpp"

namespace exchange_sim {

struct Context {
  Store& store;
  Mailbox& mailbox;          ///< whose request it is
  Zone zone;                 ///< of times written without one: TimeZoneContext, else UTC
  std::string account = {};  ///< that was authenticated; empty for what tests do by themselves
};

/// Domain ews; `code` is a response code.
syncline::unexpected<syncline::Error> refuse(std::string code, std::string text);
syncline::unexpected<syncline::Error> item_not_found();

/// An item, or one day of a series.
struct ItemRef {
  Mailbox* mailbox = nullptr;
  Item* item = nullptr;
  std::optional<Day> day{};  ///< occurrence: its original day

  const Occurrence* occurrence() const;  ///< nullptr: nothing differs on that day
  /// A stored property; of an occurrence the exception's own, else the master's.
  std::optional<std::string_view> find(PropertyId id) const;
  std::string_view get(PropertyId id) const { return find(id).value_or(std::string_view()); }
  std::uint64_t version() const;
  const std::vector<Attachment>& attachments() const;
};

/// By t:ItemId, t:OccurrenceItemId or t:RecurringMasterItemId. `change_key`, if given, receives the key that
/// was sent. Errors: ErrorInvalidIdMalformed, ErrorItemNotFound, ErrorCannotUseFolderIdForItemId, and the
/// calendar's own.
syncline::Result<ItemRef> find_item(Context& context, const Element& id,
                                    std::optional<std::uint64_t>* change_key = nullptr);
syncline::Result<ItemRef> find_item(Context& context, std::string_view id);

struct FolderRef {
  Mailbox* mailbox = nullptr;
  Folder* folder = nullptr;
};
/// By t:FolderId or t:DistinguishedFolderId. Errors: ErrorFolderNotFound, ErrorInvalidIdMalformed, …
syncline::Result<FolderRef> find_folder(Context& context, const Element& id);

std::string item_ref_id(const Store& store, const ItemRef& ref);
/// "<t:ItemId Id=… ChangeKey=…/>"
void append_item_id(std::string& out, const Store& store, const ItemRef& ref,
                    std::string_view element = "ItemId");
void append_folder_id(std::string& out, const Store& store, const Mailbox& mailbox, const Folder& folder,
                      std::string_view element = "FolderId");

/// Writes the frame of a reply: "<m:GetItemResponse …><m:ResponseMessages>" … and one message for each item
/// asked for.
class Response {
 public:
  explicit Response(std::string_view operation);
  /// Opens a message of success; write its content to out(), then end().
  std::string& begin();
  void end();
  void error(const syncline::Error& error, std::string_view content = {});
  void success() {
    begin();
    end();
  }
  std::string& out() noexcept { return out_; }
  std::string take();
  /// The message's element, when it is not "<operation>ResponseMessage".
  void set_message_element(std::string name) { message_ = std::move(name); }

 private:
  std::string operation_;
  std::string message_;
  std::string out_;
};

/// "true"/"1".
bool is_true(std::string_view text) noexcept;
/// A time of a request as UTC. Error: ErrorInvalidValueForProperty… for text that is none.
syncline::Result<Seconds> read_time(const Context& context, std::string_view text);

/// The addresses in a kept xml value of mailboxes or attendees.
struct Recipient {
  std::string name;
  std::string address;
  std::string routing_type = "SMTP";
  std::string response;       ///< attendees
  std::string last_response;  ///< attendees, UTC
};
std::vector<Recipient> recipients_in(std::string_view xml);
std::vector<Recipient> recipients_in(const Element& element);
void append_mailbox(std::string& out, const Store& store, const Recipient& recipient);
std::string mailboxes_xml(const Store& store, const std::vector<Recipient>& recipients);
std::string attendees_xml(const Store& store, const std::vector<Recipient>& attendees);

// Calendar, on the stored properties.
Zone item_zone(const ItemRef& ref);
bool is_series(const Item& item);
std::optional<struct Recurrence> series_of(const Item& item);
Seconds start_of(const ItemRef& ref);  ///< UTC
Seconds end_of(const ItemRef& ref);
/// Where the pattern puts the day's start, moved or not.
Seconds original_start_of(const ItemRef& ref);
/// The series' day that begins at this instant by its pattern.
std::optional<Day> series_day_at(const Item& item, Seconds original_start);

}  // namespace exchange_sim
