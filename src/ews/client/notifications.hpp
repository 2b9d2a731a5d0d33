// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Streaming notifications for a group of mailboxes on one hanging connection.
//
// Order of steps: subscribe who has no subscription → open the connection → say "everything may have changed"
// for every mailbox on it → read envelopes; fold events; say which folders changed. The connection ends by
// the server's timer (opened again at once), by silence, by an error (opened again after a wait), or because
// a subscription died (subscribed again first). After an end in good order the next connection brings what
// has happened since the last notification (GetStreamingEvents), so nothing need be read anew then.
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ews/client/event_folding.hpp"
#include "ews/client/ews_client.hpp"
#include "ews/client/streaming_groups.hpp"

namespace syncline::ews {

struct FolderChanged {
  std::string mailbox;
  std::string folder_id;  ///< empty: any folder of the mailbox may have changed, its feeds must be read
};

/// Must return at once: it hands the news to whoever reads feeds. The reading uses other connections and
/// budgets than the stream, so neither waits for the other.
using ChangeListener = std::function<void(FolderChanged)>;

struct StreamingSettings {
  int connection_minutes = 30;  ///< 1 to 30; the server closes the connection then
  /// Exchange writes an envelope at least this often; twice as long without an octet is a dead link.
  std::chrono::milliseconds heartbeat{45'000};
  EventFolding::Delays folding = {};
  std::vector<FolderRef> folders = {};  ///< empty: all folders of the mailbox
  /// Told when the server begins to tell of a mailbox, and when it has stopped without having been asked to.
  std::function<void(const std::string& mailbox, bool is_heard)> on_hearing = [](const std::string&, bool) {};
};

struct StreamedMailbox {
  std::string mailbox;
  EwsClient* client;  ///< subscribes as this mailbox; must outlive the stream
};

struct StreamingStatus {
  std::uint64_t connections = 0;    ///< opened so far
  std::uint64_t subscriptions = 0;  ///< made so far
  std::uint64_t notifications = 0;  ///< events seen
  std::optional<SteadyTime> last_octet = std::nullopt;
  std::map<std::string, Error> parked = {};  ///< mailboxes that cannot be subscribed now, and why (R-18)
};

class NotificationStream {
 public:
  /// At most largest_streaming_group mailboxes; the first is the anchor whose budgets and connection are
  /// used.
  NotificationStream(std::vector<StreamedMailbox> mailboxes, ChangeListener listener,
                     StreamingSettings settings = {});
  NotificationStream(const NotificationStream&) = delete;
  NotificationStream& operator=(const NotificationStream&) = delete;
  ~NotificationStream();

  /// Until cancelled (error "cancelled"), or until nothing can be subscribed and no waiting will help: the
  /// error of the anchor then. One mailbox's trouble parks that mailbox alone, with a back-off of its own.
  net::Async<void> run();
  /// Nothing is told of it any more, and from the next connection on nothing is heard; not of the anchor.
  void forget(std::string_view mailbox);

  const StreamingStatus& status() const noexcept;

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace syncline::ews
