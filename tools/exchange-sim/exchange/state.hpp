// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The state of the test Exchange: mailboxes, folders, items, attachments, change logs, subscriptions. Every
// change goes through Store, so that no operation can forget change key, log or event.
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "tools/exchange-sim/exchange/calendar_time.hpp"
#include "tools/exchange-sim/exchange/exchange_service.hpp"
#include "tools/exchange-sim/exchange/fields.hpp"
#include "tools/exchange-sim/exchange/ids.hpp"
#include "tools/exchange-sim/exchange/property_bag.hpp"

namespace exchange_sim {

struct Item;

/// A message made when it is asked for: 100,000 of them cost no memory.
struct GeneratedMail {
  std::uint64_t seed = 0;
  std::uint32_t size = 0;  ///< octets, exactly
};
/// Octets as they came, or the recipe. Shared by copies: content never changes.
using MimeSource = std::variant<std::monostate, std::shared_ptr<const std::string>, GeneratedMail>;

struct Attachment {
  enum class Kind : std::uint8_t { file, item, reference };
  Kind kind = Kind::file;
  std::uint32_t serial = 0;  ///< in its item
  std::string name;
  std::string content_type;
  std::string content_id;
  std::string content_location;
  bool is_inline = false;
  bool is_contact_photo = false;
  Seconds modified = 0;
  std::shared_ptr<const std::string> content;  ///< file
  std::shared_ptr<Item> item;                  ///< item
  std::string reference_xml;                   ///< reference: its own elements, in order
};

/// "FileAttachment", …
std::string_view element_of(Attachment::Kind kind) noexcept;

/// One day of a series that differs.
struct Occurrence {
  bool deleted = false;
  bool truncated = false;  ///< cut off by the end of the series, kept for nothing else
  PropertyBag changes;     ///< a patch over the master (R-26)
  std::vector<Attachment> attachments;
  bool own_attachments = false;
  std::uint64_t version = 0;
};

/// A property of an item, or of one day of its series.
struct PropertyOf {
  std::optional<Day> day;
  PropertyId property = 0;
  friend auto operator<=>(const PropertyOf&, const PropertyOf&) = default;
};

struct Item {
  std::uint32_t number = 0;
  std::uint32_t folder = 0;
  ItemKind kind = ItemKind::message;
  bool is_read = true;
  bool is_draft = false;
  bool is_submitted = false;
  bool is_from_me = false;
  bool is_unmodified = false;
  bool is_organizer = true;  ///< calendar items
  bool is_cancelled = false;
  bool invitations_sent = false;
  std::uint8_t my_response = 0;  ///< index into kResponses
  std::uint64_t version = 0;     ///< change key
  std::uint64_t created_at = 0;  ///< sequence numbers of the mailbox's log
  std::uint64_t changed_at = 0;
  std::uint64_t read_at = 0;
  std::int64_t modified = 0;
  std::uint64_t search_number = 0;  ///< kept by moves and copies; unique otherwise
  std::uint32_t next_serial = 1;
  std::uint32_t associated = 0;  ///< meeting messages: number of the calendar item
  PropertyBag bag;
  MimeSource mime;
  std::vector<Attachment> attachments;
  std::unique_ptr<std::map<Day, Occurrence>> occurrences;  ///< by day in the series' zone
  /// The version that changed each property last; null for an item that never was. For AutoResolve.
  std::unique_ptr<std::map<PropertyOf, std::uint64_t>> changed_in;

  Item() = default;
  Item(const Item& other);
  Item& operator=(const Item&) = delete;
};

/// The properties that differ, content and attachments as f_mime_content and f_attachments.
std::set<PropertyOf> differences(const Item& a, const Item& b);

inline constexpr std::string_view kResponses[] = {"Unknown", "Organizer", "Tentative",
                                                  "Accept",  "Decline",   "NoResponseReceived"};
std::uint8_t response_index(std::string_view response) noexcept;

struct FolderChange {
  enum class What : std::uint8_t { created, changed, read, removed };
  std::uint64_t sequence = 0;
  std::uint32_t item = 0;
  What what = What::created;
  std::uint64_t created_at = 0;  ///< removed: when the item had come
};

struct Folder {
  std::uint32_t number = 0;
  std::uint32_t parent = 0;
  std::string name;
  std::string folder_class;
  std::string distinguished;
  std::uint64_t version = 0;
  std::uint64_t created_at = 0;
  std::uint64_t changed_at = 0;
  std::uint32_t epoch = 0;
  std::uint32_t unread = 0;
  bool is_public = false;
  PropertyBag bag;
  std::vector<std::uint32_t> items;  ///< ascending numbers, that is by arrival
  std::vector<FolderChange> log;
};

enum class EventType : std::uint8_t { copied, created, deleted, modified, moved, new_mail, free_busy };
std::string_view to_string(EventType type) noexcept;

struct Event {
  std::uint64_t sequence = 0;
  std::string xml;  ///< with "<t:Watermark>" left out; it goes behind the first '>'
};

struct Subscription {
  std::string id;
  std::uint32_t mailbox = 0;
  std::string owner;  ///< the account that made it; nobody else may use it
  bool streaming = false;
  bool all_folders = false;
  std::set<std::uint32_t> folders;
  unsigned types = 0;  ///< bits by EventType
  Seconds lifetime = 0;
  Seconds last_asked = 0;
  std::uint64_t first_kept = 0;  ///< watermarks below are gone
  std::deque<Event> events;
};

struct Mailbox {
  MailboxDefinition definition;
  MailboxGuid guid{};
  std::uint32_t index = 0;
  bool removed = false;
  std::uint64_t sequence = 0;  ///< of the log
  std::uint32_t hierarchy_epoch = 0;
  std::vector<std::unique_ptr<Item>> items;      ///< by number - 1; null when gone
  std::vector<std::unique_ptr<Folder>> folders;  ///< by number - 1; null when gone
  struct FolderTombstone {
    std::uint64_t sequence;
    std::uint32_t folder;
    std::uint64_t created_at;
  };
  std::vector<FolderTombstone> folder_tombstones;
  std::map<std::string, std::uint32_t, std::less<>> distinguished;
  std::unordered_map<std::uint32_t, std::pair<std::string, bool>> unreadable;  ///< code, MIME only
  std::set<std::string, std::less<>> delegates;  ///< mailboxes that may send on this one's behalf

  Item* item(std::uint32_t number) const;
  Folder* folder(std::uint32_t number) const;
  Folder* folder(std::string_view distinguished_name) const;
};

/// An extended property's name.
struct ExtendedName {
  std::string set;   ///< property set's GUID in lower case, or distinguished name; empty with a tag
  std::string name;  ///< or empty
  int id = -1;       ///< dispatch id, or -1
  int tag = -1;      ///< or -1
  std::string type;  ///< "String", "Integer", …
  friend auto operator<=>(const ExtendedName&, const ExtendedName&) = default;
};

/// An entry of a contact's dictionary: f_phone_numbers and "MobilePhone".
struct DictionaryName {
  Field field = f_count;
  std::string key;
  std::string part;  ///< addresses: "Street", …; else empty
  friend auto operator<=>(const DictionaryName&, const DictionaryName&) = default;
};

class Store {
 public:
  Store(const syncline::Clock& clock, syncline::Random& random, const Limits& limits);

  const Limits& limits() const noexcept { return limits_; }
  Seconds now() const;
  syncline::Random& random() noexcept { return random_; }

  Mailbox& add_mailbox(const MailboxDefinition& definition);
  Mailbox* mailbox(std::string_view address) const;  ///< also by alias; nullptr if none
  Mailbox* mailbox(const MailboxGuid& guid) const;
  const std::vector<std::unique_ptr<Mailbox>>& mailboxes() const noexcept { return mailboxes_; }
  void remove_mailbox(Mailbox& mailbox);
  /// Takes another site, and an alias there. All ids are others from now on; items keep their properties.
  void move_mailbox(Mailbox& mailbox, std::string site, std::string_view alias);

  Folder& add_folder(Mailbox& mailbox, std::uint32_t parent, std::string_view name,
                     std::string_view folder_class, std::string_view distinguished = {});
  void touch_folder(Mailbox& mailbox, Folder& folder);
  /// With everything in it.
  void remove_folder(Mailbox& mailbox, std::uint32_t folder);
  void move_folder(Mailbox& mailbox, Folder& folder, std::uint32_t parent);
  std::vector<std::uint32_t> children_of(const Mailbox& mailbox, std::uint32_t folder) const;
  bool is_below(const Mailbox& mailbox, std::uint32_t folder, std::uint32_t ancestor) const;

  /// Takes the item in; gives it number, key, times.
  Item& insert(Mailbox& mailbox, std::uint32_t folder, std::unique_ptr<Item> item, bool new_mail = false);
  /// After a change of the item: new key, log, event. With the item as it was, who asks with an older key
  /// learns which properties are in conflict.
  void touch(Mailbox& mailbox, Item& item, const Item* before = nullptr);
  void set_read(Mailbox& mailbox, Item& item, bool is_read);
  void remove(Mailbox& mailbox, std::uint32_t item);
  Item& move(Mailbox& mailbox, std::uint32_t item, Mailbox& target, std::uint32_t folder);
  Item& copy(Mailbox& mailbox, const Item& item, Mailbox& target, std::uint32_t folder);

  PropertyId extended_id(const ExtendedName& name);
  /// 0 if no item ever had it.
  PropertyId find_extended(const ExtendedName& name) const;
  const ExtendedName* extended_name(PropertyId id) const;
  PropertyId dictionary_id(const DictionaryName& name);
  PropertyId find_dictionary(const DictionaryName& name) const;
  const DictionaryName* dictionary_name(PropertyId id) const;
  /// The dynamic ids in use, in the order of their names.
  const std::map<DictionaryName, PropertyId>& dictionary_ids() const noexcept { return dictionary_ids_; }

  std::map<std::string, Subscription>& subscriptions() noexcept { return subscriptions_; }
  std::uint64_t event_sequence() const noexcept { return event_sequence_; }
  std::string new_subscription_id(const Mailbox& mailbox);
  void set_event_callback(std::function<void(const std::string&)> callback) {
    on_event_ = std::move(callback);
  }

  /// Mail for people who have no mailbox here. Empty: nobody wants it.
  void set_outgoing_callback(std::function<void(OutgoingMail)> callback) {
    on_outgoing_ = std::move(callback);
  }
  bool hands_out_mail() const noexcept { return on_outgoing_ != nullptr; }
  void hand_out(OutgoingMail mail) const { on_outgoing_(std::move(mail)); }

  std::vector<SentMail>& ledger() noexcept { return ledger_; }
  const std::vector<SentMail>& ledger() const noexcept { return ledger_; }
  void count_read() noexcept { ++items_read_; }
  std::uint64_t items_read() const noexcept { return items_read_; }
  void count_blind_update() noexcept { ++blind_updates_; }
  std::uint64_t blind_updates() const noexcept { return blind_updates_; }
  std::string new_message_id();
  /// A new meeting's UID: hexadecimal, as Outlook makes them.
  std::string new_uid();

  std::string item_id(const Mailbox& mailbox, const Item& item) const;
  std::string folder_id(const Mailbox& mailbox, const Folder& folder) const;

 private:
  void give_guid(Mailbox& mailbox);
  void log(Mailbox& mailbox, Folder& folder, const Item& item, FolderChange::What what);
  void emit(Mailbox& mailbox, EventType type, const Folder& folder, const std::string& body,
            unsigned also_folder = 0);
  void item_event(Mailbox& mailbox, EventType type, const Folder& folder, const Item& item);
  void folder_event(Mailbox& mailbox, EventType type, const Folder& folder);
  void detach(Mailbox& mailbox, Item& item);

  const syncline::Clock& clock_;
  syncline::Random& random_;
  Limits limits_;
  std::vector<std::unique_ptr<Mailbox>> mailboxes_;
  std::unordered_map<std::string, std::uint32_t> addresses_;
  std::map<MailboxGuid, std::uint32_t> guids_;
  std::uint64_t version_ = 0;
  std::uint64_t event_sequence_ = 0;
  std::uint64_t search_numbers_ = 0;
  std::uint64_t names_made_ = 0;
  std::map<ExtendedName, PropertyId> extended_ids_;
  std::map<DictionaryName, PropertyId> dictionary_ids_;
  std::unordered_map<PropertyId, const ExtendedName*> extended_names_;
  std::unordered_map<PropertyId, const DictionaryName*> dictionary_names_;
  PropertyId next_dynamic_ = kFirstDynamic;
  std::map<std::string, Subscription> subscriptions_;
  std::function<void(const std::string&)> on_event_;
  std::function<void(OutgoingMail)> on_outgoing_;
  std::vector<SentMail> ledger_;
  std::uint64_t items_read_ = 0;
  std::uint64_t blind_updates_ = 0;
};

}  // namespace exchange_sim
