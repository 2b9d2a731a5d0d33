// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A mail server in memory, with its own idea of what it holds, and a driver for it: what the heart can be
// tested with, and the proof that it does not need Exchange.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "sync/driver.hpp"

namespace syncline::sync::testing {

struct MemoryItem {
  std::string id;
  std::int64_t version = 0;
  std::string folder;
  model::RecordKind kind = model::RecordKind::contact;
  model::Fields fields;
  std::string search_key;
  std::optional<std::string> mark;
  bool is_private = false;
  bool is_organizer = true;
  bool opaque = false;
  bool unreadable = false;
  std::string mime;
  std::string item_class;
  model::Fields attached;                               ///< a message attached to this one
  std::map<std::string, std::string> attachments = {};  ///< octets by attachment id
  SystemTime modified{};
};

struct SentMail {
  std::string from;
  model::Fields fields;
  std::string operation;
};

class MemoryServer {
 public:
  explicit MemoryServer(const Clock& clock, std::string address);

  // --- what people do ---
  MemoryItem& add(const std::string& folder, model::Fields fields);
  void edit(const std::string& id, const model::Fields& changes);
  void remove(const std::string& id);                                  ///< to the deleted items
  std::string move(const std::string& id, const std::string& folder);  ///< the new id
  void give_new_ids();                                                 ///< as after a move to another server
  void remove_folder(const std::string& id);                           ///< for good, with all in it
  MemoryItem& copy(const std::string& id, const std::string& folder);
  /// What no feed says: an item that came, one that went.
  MemoryItem& add_unseen(const std::string& folder, model::Fields fields);
  void remove_unseen(const std::string& id);
  /// Every feed has to start again.
  void invalidate_cursors() { ++epoch_; }

  // --- what a test sees ---
  MemoryItem* find(const std::string& id);
  std::vector<const MemoryItem*> in(const std::string& folder) const;
  const std::vector<SentMail>& sent() const { return sent_; }
  /// Operation ids of invitations, updates and cancellations that were mailed, in order.
  const std::vector<std::string>& mailed() const { return mailed_; }
  /// Called with every message that goes out.
  std::function<void(const SentMail&)> deliver;
  /// Called with the fields of every update.
  std::function<void(const model::Fields&)> on_update;
  std::string claimed_by;
  std::size_t page_size = 5;
  /// Requests by name since the beginning.
  std::map<std::string, std::uint64_t> requests;
  const std::string& address() const { return address_; }

  static RemoteFolder folder(const std::string& id);
  std::vector<RemoteFolder> folders() const;

 private:
  friend class MemoryDriver;
  struct Change {
    std::string item;
    bool deleted = false;
  };
  void touch(MemoryItem& item, const std::string& folder_of_feed, bool deleted = false);
  std::string take_out(const std::string& id);

  const Clock& clock_;
  std::string address_;
  std::map<std::string, MemoryItem> items_;
  std::set<std::string> removed_folders_;
  std::map<std::string, std::vector<Change>> feeds_;
  std::vector<SentMail> sent_;
  std::vector<std::string> mailed_;
  std::map<std::string, std::string> mailed_marks_;  ///< item: operation whose mail went out
  int next_id_ = 0;
  int epoch_ = 0;
};

/// Faults by request: asked before it reaches the server and after it was carried out.
enum class FaultMoment { before, after };
using Fault = std::function<std::optional<Error>(const std::string& request, FaultMoment moment)>;

class MemoryDriver final : public Driver {
 public:
  MemoryDriver(MemoryServer& server, const Clock& clock, Fault fault = {})
      : server_(server), clock_(clock), fault_(std::move(fault)) {}

  Async<std::vector<RemoteFolder>> folders() override;
  Async<FeedPage> pull(const RemoteFolder& folder, std::string cursor,
                       std::size_t most = most_feed_entries) override;
  Async<std::vector<std::string>> received_since(const RemoteFolder& folder, SystemTime from) override;
  Async<std::vector<RemoteRef>> list(const RemoteFolder& folder) override;
  Async<std::vector<Result<RemoteItem>>> read(model::RecordKind kind, std::vector<std::string> ids,
                                              bool with_body) override;
  Async<bool> fetch_mime(std::string id, ContentSink& sink, std::uint64_t most_octets) override;
  Async<void> fetch_attachment(std::string attachment_id, ContentSink& sink,
                               std::uint64_t most_octets) override;
  Async<std::optional<RemoteItem>> attached_message(std::string id) override;
  Async<std::optional<Found>> find(model::RecordKind kind, std::string search_key) override;
  Async<Applied> apply(const WriteOrder& order, Progress& progress, const OpenContent& content) override;
  Async<RemoteRef> unmark(RemoteRef item, model::RecordKind kind) override;
  Async<Claim> claim(std::string organisation_id, std::string organisation_name, bool take_over) override;
  std::uint64_t requests() const override { return requests_; }

 private:
  std::optional<Error> before(const std::string& request);
  std::optional<Error> after(const std::string& request);
  Result<Applied> create(const WriteOrder& order, Progress& progress);
  Result<Applied> update(const WriteOrder& order, Progress& progress);
  Result<Applied> remove(const WriteOrder& order, Progress& progress);
  Result<Applied> send(const WriteOrder& order, Progress& progress);
  Result<void> mail(const std::string& item, const WriteOrder& order, Progress& progress,
                    const std::string& step);
  MemoryItem* marked(const std::string& operation);

  MemoryServer& server_;
  const Clock& clock_;
  Fault fault_;
  std::uint64_t requests_ = 0;
};

}  // namespace syncline::sync::testing
