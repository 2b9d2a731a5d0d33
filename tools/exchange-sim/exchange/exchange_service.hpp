// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The mailboxes of the test Exchange and the EWS operations on them, with a control interface for tests: what
// an administrator, a user in Outlook or the Internet would do to a mailbox, without a request.
// Deterministic: the same clock, random source and calls give the same ids, keys and replies.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/random.hpp"
#include "tools/exchange-sim/post_office.hpp"
#include "tools/exchange-sim/service.hpp"

namespace exchange_sim {

/// What the service refuses. The front has its own for sizes and connections.
struct Limits {
  std::size_t sync_changes = 512;            ///< SyncFolderItems, MaxChangesReturned
  std::size_t find_count = 1000;             ///< FindItem and FindFolder, results of one page
  std::size_t find_count_restricted = 250;   ///< the same, with a Restriction
  std::size_t calendar_view_days = 731;      ///< CalendarView, longer: ErrorCalendarViewRangeTooBig
  std::size_t request_depth = 100;           ///< nested elements of a request
  std::size_t request_elements = 1'000'000;  ///< elements of a request
  std::size_t restriction_depth = 32;
  std::size_t restriction_nodes = 512;
  std::size_t batch = 10'000;              ///< items or ids of one request
  std::size_t message_bytes = 256U << 20;  ///< one item with its attachments: ErrorMessageSizeExceeded
  std::size_t attachment_depth = 20;       ///< item in item: ErrorAttachmentNestLevelLimitExceeded
  std::size_t subscriptions = 5000;        ///< per mailbox: ErrorExceededSubscriptionCount
  std::size_t events_kept = 10'000;        ///< per subscription; the oldest are dropped, the watermark dies
};

struct MailboxDefinition {
  std::string address;  ///< SMTP, made lower case
  std::string display_name;
  std::string site;  ///< must equal Caller::site; empty: every site serves it
  std::vector<std::string> aliases = {};
};

/// Why a mail left a mailbox.
enum class MailReason { message, invitation, update, cancellation, response, reply, forward };
std::string_view to_string(MailReason reason) noexcept;

/// One mail to one recipient, inside or outside. Nothing is ever removed from the ledger.
struct SentMail {
  std::uint64_t number = 0;  ///< counts from 1 over all mailboxes
  syncline::SystemTime sent;
  std::string from;        ///< mailbox it left
  std::string to;          ///< one recipient, lower case
  bool delivered = false;  ///< the recipient is one of our mailboxes
  MailReason reason = MailReason::message;
  std::string subject;
  std::string item_class;
  std::string internet_message_id;
  std::string uid;            ///< of the meeting, else empty
  std::string recurrence_id;  ///< original start of the one occurrence it is about, else empty
};

/// What can be seen of an item without asking for all of it.
struct ItemView {
  std::string id;
  std::string change_key;
  std::string element;  ///< "Message", "CalendarItem", …
  std::string item_class;
  std::string subject;
  bool is_read = false;
  bool is_draft = false;
  std::uint64_t size = 0;
  std::size_t attachments = 0;
};

struct FolderView {
  std::string id;
  std::string parent_id;
  std::string name;
  std::string folder_class;
  std::string distinguished;  ///< "inbox", or empty
  std::size_t items = 0;
  std::size_t unread = 0;
};

/// How generated content is spread; parts are weights.
struct GeneratorOptions {
  std::uint64_t seed = 1;
  std::size_t messages = 0;
  std::size_t appointments = 0;  ///< one in ten is a series
  std::size_t contacts = 0;
  std::size_t tasks = 0;
  std::size_t message_bytes = 0;  ///< every mail about so long; 0: a mix of 4 KB, 44 KB and 500 KB (80:18:2)
  std::string folder = {};        ///< for the messages; empty: inbox
};

/// What a fill did. Malformed files are skipped and named here.
struct FillReport {
  std::size_t messages = 0;
  std::size_t appointments = 0;
  std::size_t contacts = 0;
  std::size_t tasks = 0;
  std::vector<std::string> malformed;  ///< "file: what is wrong"
};

/// Folders are named by an EWS id, a distinguished name ("inbox") or a path from either
/// ("inbox/Projects/2026").
class ExchangeService final : public Service, public PostOffice {
 public:
  /// References must outlive the service.
  ExchangeService(const syncline::Clock& clock, syncline::Random& random, Limits limits = {});
  ~ExchangeService() override;
  ExchangeService(const ExchangeService&) = delete;
  ExchangeService& operator=(const ExchangeService&) = delete;

  Reply handle(const Caller& caller, std::string_view soap_xml) override;
  std::vector<UnusableSubscription> unusable_subscriptions(const Caller& caller,
                                                           const std::vector<std::string>& ids) override;
  std::vector<Notification> drain(const std::vector<std::string>& ids) override;
  void on_event(std::function<void(const std::string& subscription_id)> callback) override;
  std::string mailbox_of(std::string_view address) const override;
  void on_outgoing(std::function<void(OutgoingMail)> callback) override;

  // Administration. Error codes are EWS response codes ("ErrorItemNotFound", …) in domain ews, "exists" in
  // input.
  syncline::Result<void> add_mailbox(const MailboxDefinition& definition);
  /// The mailbox and all in it go, as after a move elsewhere: ErrorNonExistentMailbox from now on.
  syncline::Result<void> remove_mailbox(std::string_view address);
  /// The mailbox lives at another site, with all in it: items, marks and search keys are the same, all ids,
  /// change states and subscriptions are not. `alias`: an address of it there.
  syncline::Result<void> move_mailbox(std::string_view address, std::string_view site,
                                      std::string_view alias = {});
  std::vector<MailboxDefinition> mailboxes() const;
  bool has_mailbox(std::string_view address) const;
  /// Sync states given out so far for this folder become invalid (all folders and the hierarchy if empty).
  syncline::Result<void> invalidate_sync_states(std::string_view mailbox, std::string_view folder = {});
  /// Reads of the item (GetItem, shape wider than IdOnly) answer this code from now on; empty: readable
  /// again. With `mime_only` only requests for MIME fail (ErrorMimeContentConversionFailed, …).
  syncline::Result<void> set_unreadable(std::string_view mailbox, std::string_view id,
                                        std::string response_code, bool mime_only);
  /// GrantSendOnBehalfTo: `delegate`, a mailbox, may send messages that are from `mailbox`. Without it a
  /// From that is somebody else's is ErrorSendAsDenied.
  syncline::Result<void> grant_send_on_behalf(std::string_view mailbox, std::string_view delegate);
  /// Subscriptions die: ErrorSubscriptionNotFound. Empty mailbox: all.
  void drop_subscriptions(std::string_view mailbox = {});

  // As the user in Outlook, or the Internet.
  syncline::Result<std::string> add_folder(std::string_view mailbox, std::string_view parent,
                                           std::string_view name, std::string_view folder_class = "IPF.Note");
  syncline::Result<void> delete_folder(std::string_view mailbox, std::string_view folder);
  /// `item_xml`: one item element as in CreateItem ("<t:Contact>…</t:Contact>"; any or no prefix). No mail is
  /// sent.
  syncline::Result<std::string> add_item(std::string_view mailbox, std::string_view folder,
                                         std::string_view item_xml);
  /// A message from its octets, kept as they are.
  syncline::Result<std::string> add_mime(std::string_view mailbox, std::string_view folder,
                                         std::string_view mime, bool is_read = true);
  /// New mail from outside into the Inbox (NewMailEvent).
  syncline::Result<std::string> deliver(std::string_view mailbox, std::string_view mime) override;
  /// Sets one property: `field` is a FieldURI ("item:Subject", "contacts:PhoneNumber/MobilePhone"), `value`
  /// its text, or for a structured property the XML inside the element. Empty value: the property is deleted.
  syncline::Result<void> edit_item(std::string_view mailbox, std::string_view id, std::string_view field,
                                   std::string_view value);
  /// Sets or, with empty `value`, deletes a named string property of the public strings' set.
  syncline::Result<void> edit_extended(std::string_view mailbox, std::string_view id,
                                       std::string_view property_set, std::string_view name,
                                       std::string_view value);
  syncline::Result<void> set_read(std::string_view mailbox, std::string_view id, bool is_read);
  /// Returns the new id.
  syncline::Result<std::string> move_item(std::string_view mailbox, std::string_view id,
                                          std::string_view folder);
  syncline::Result<void> delete_item(std::string_view mailbox, std::string_view id, bool hard = false);
  /// A meeting answered in Outlook: "Accept", "Tentative" or "Decline"; the response is mailed.
  syncline::Result<void> respond(std::string_view mailbox, std::string_view id, std::string_view response);

  // Looking.
  syncline::Result<std::vector<ItemView>> list(std::string_view mailbox, std::string_view folder) const;
  syncline::Result<std::vector<FolderView>> folders(std::string_view mailbox) const;
  /// The item as GetItem (AllProperties, all attachments' metadata) would write it, in the types' namespace,
  /// prefix t.
  syncline::Result<std::string> item_xml(std::string_view mailbox, std::string_view id) const;
  /// One property's text, or the XML inside its element; empty if unset.
  syncline::Result<std::string> property(std::string_view mailbox, std::string_view id,
                                         std::string_view field) const;
  syncline::Result<std::string> mime(std::string_view mailbox, std::string_view id) const;
  /// Names and octets of the item's attachments, in their order; items as their XML, references without
  /// octets.
  syncline::Result<std::vector<std::pair<std::string, std::string>>> attachments(std::string_view mailbox,
                                                                                 std::string_view id) const;
  /// All mail that ever left, in order; of one mailbox if given.
  std::vector<SentMail> sent_mail(std::string_view from = {}) const;
  /// Items that GetItem has given so far, each as often as it was asked for.
  std::uint64_t items_read() const noexcept;
  /// UpdateItem requests so far that would have overwritten what others did (not NeverOverwrite).
  std::uint64_t blind_updates() const noexcept;

  // Filling (from files: *.eml, *.mbox, *.ics, *.vcf, recursively, in the order of names).
  syncline::Result<FillReport> fill(std::string_view mailbox, const std::filesystem::path& folder);
  syncline::Result<FillReport> generate(std::string_view mailbox, const GeneratorOptions& options);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace exchange_sim
