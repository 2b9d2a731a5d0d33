// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The records' side of a test of the heart: a store in a scratch folder with one mailbox, edited as an
// application would. Which server the mailbox is on, the classes built on this know.
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "store/content.hpp"
#include "store/journal.hpp"
#include "store/links.hpp"
#include "store/store.hpp"
#include "sync/mailbox_run.hpp"

namespace syncline::sync::testing {

/// Stops at the n-th durable write (from 0), before or after it; every later one fails too.
class StopAt final : public store::DurableWrites {
 public:
  enum class Moment { before, after };
  StopAt(std::uint64_t nth, Moment moment) : nth_(nth), moment_(moment) {}
  Result<void> before(std::string_view what) override;
  Result<void> after(std::string_view what) override;
  bool stopped() const { return stopped_; }
  std::uint64_t seen() const { return seen_; }

 private:
  Result<void> stop(std::string_view what);
  std::uint64_t nth_;
  Moment moment_;
  std::uint64_t seen_ = 0;
  bool stopped_ = false;
};

/// A folder that goes with it; in memory where the machine has such a place.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class OrganisationStore {
 public:
  /// Settings are those that move most: all kinds, both ways, deletes too. `clock` must outlive it.
  OrganisationStore(const Clock& clock, const std::string& address, std::uint64_t seed);
  OrganisationStore(const OrganisationStore&) = delete;
  OrganisationStore& operator=(const OrganisationStore&) = delete;

  /// Opens the store again, as a new process would.
  void reopen(store::DurableWrites* durable_writes = nullptr);

  model::Record add(model::RecordKind kind, model::Fields fields);
  model::Record edit(model::RecordId id, const model::Fields& changes);
  void give_to(model::RecordId id, const std::string& owner);
  void remove(model::RecordId id);
  std::vector<model::Record> records(model::RecordKind kind, bool deleted_too = false);
  model::Record only_record(model::RecordKind kind);
  model::Record record(model::RecordId id);
  std::vector<store::Link> links(model::RecordId record);
  std::vector<std::string> journal(const std::string& event);  ///< their reasons
  std::vector<std::string> journal_texts(const std::string& event);
  std::vector<std::string> journal_details(const std::string& event);
  std::vector<std::string> alerts();  ///< codes of those that are not cleared
  /// Octets into the content store; the SHA-256 by which they are found.
  std::string add_content(std::string_view octets);
  std::string content_of(std::string_view sha256);
  store::Store& store() { return *store_; }
  store::ContentStore& content() { return *content_; }
  const std::string& path() const { return folder_.path(); }

  /// Records and links without ids, versions and what is made by chance, sorted: what two organisations are
  /// compared by. `folder_name`: what stands for a folder's id; `lasting`: fields without what changes from
  /// run to run with this server.
  std::string dump(const std::function<std::string(const std::string&)>& folder_name = {},
                   const std::function<model::Fields(model::Fields)>& lasting = {});

  /// From small pages on, the next page is read while one goes to the disk: the write comes a turn of the
  /// executor later, so that both orders happen.
  void read_ahead();

  MailboxSettings settings;
  RunOptions options;
  std::function<Async<void>(std::function<Result<void>()>)> aside = {};

 protected:
  SeededRandom random_;

 private:
  std::vector<store::JournalEntry> journal_entries(const std::string& event);

  const Clock& clock_;
  ScratchFolder folder_;
  std::unique_ptr<store::Store> store_;
  std::optional<store::ContentStore> content_;
};

/// A field as JSON with its members in the order of their names; "absent" if there is none.
std::string field_text(const model::Fields& fields, std::string_view name);
/// Members in the order of their names, all the way down.
boost::json::value sorted(const boost::json::value& value);
/// Lines in order, one text.
std::string joined(std::vector<std::string> lines);
/// Of fields, what does not depend on the run: ids made by chance and empty values are left out.
model::Fields comparable(model::Fields fields);

}  // namespace syncline::sync::testing
