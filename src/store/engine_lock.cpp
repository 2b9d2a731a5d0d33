// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/engine_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "base/text.hpp"
#include "store/files.hpp"

namespace syncline::store {

Result<EngineLock> EngineLock::take(const std::string& folder) {
  const std::string path = folder + "/engine.lock";
  // Never removed: two engines could then hold locks on two files of that name.
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file) return fail(file_error(errno, "open " + path));
  int locked = -1;
  do {
    locked = ::flock(file.get(), LOCK_EX | LOCK_NB);
  } while (locked != 0 && errno == EINTR);
  if (locked != 0) {
    if (errno != EWOULDBLOCK) return fail(file_error(errno, "lock " + path));
    std::array<char, 32> octets{};
    const ssize_t count = ::pread(file.get(), octets.data(), octets.size(), 0);
    const std::string_view said(octets.data(), static_cast<std::size_t>(count > 0 ? count : 0));
    const auto pid = text::parse_int(text::trim(said));
    const std::string who = pid ? "another engine (process " + std::to_string(*pid) + ")" : "another engine";
    return fail(ErrorDomain::local, "engine-running", who + " works on the organisation in " + folder);
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(file.get(), 0) != 0) return fail(file_error(errno, "write " + path));
  if (auto written = write_all(file.get(), std::as_bytes(std::span(pid)), path); !written)
    return fail(std::move(written.error()));
  return EngineLock(file.release());
}

EngineLock::EngineLock(EngineLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

EngineLock::~EngineLock() {
  if (descriptor_ < 0) return;
  // The pid goes before the lock does; if it stays, nobody reads it from a file that is free.
  [[maybe_unused]] const int emptied = ::ftruncate(descriptor_, 0);
  ::close(descriptor_);
}

}  // namespace syncline::store
