// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/pop3/driver/spool.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace syncline::pop3 {
namespace {

constexpr std::size_t write_octets = 256 * 1024;

unexpected<Error> failed(const char* what) {
  return fail(ErrorDomain::local, "spool-failed",
              std::string("the file for messages under way cannot be ") + what + ": " + std::strerror(errno),
              RetryClass::after);
}

class SpooledSource final : public sync::ContentSource {
 public:
  SpooledSource(int descriptor, std::uint64_t begin, std::uint64_t octets)
      : descriptor_(descriptor), begin_(begin), octets_(octets) {}

  std::uint64_t size() const override { return octets_; }
  Result<std::size_t> read(std::span<std::byte> buffer) override {
    const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), octets_ - at_));
    if (most == 0) return std::size_t{0};
    const ssize_t got = ::pread(descriptor_, buffer.data(), most, static_cast<off_t>(begin_ + at_));
    if (got <= 0) return failed("read");
    at_ += static_cast<std::uint64_t>(got);
    return static_cast<std::size_t>(got);
  }
  Result<void> rewind() override {
    at_ = 0;
    return {};
  }

 private:
  int descriptor_;
  std::uint64_t begin_;
  std::uint64_t octets_;
  std::uint64_t at_ = 0;
};

}  // namespace

Spool::~Spool() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<void> Spool::begin() {
  drop();
  if (descriptor_ >= 0) return {};
  std::error_code none;
  const std::string folder = folder_.empty() ? std::filesystem::temp_directory_path(none).string() : folder_;
  descriptor_ = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (descriptor_ >= 0) return {};
  // Not every file system has O_TMPFILE.
  std::string name = folder + "/syncline-pop3-XXXXXX";
  descriptor_ = ::mkostemp(name.data(), O_CLOEXEC);
  if (descriptor_ < 0) return failed("made");
  ::unlink(name.c_str());
  return {};
}

Result<void> Spool::write(std::string_view octets) {
  pending_.append(octets);
  end_ += octets.size();
  return pending_.size() < write_octets ? Result<void>{} : flush();
}

Result<void> Spool::flush() {
  std::uint64_t at = end_ - pending_.size();
  std::string_view rest = pending_;
  while (!rest.empty()) {
    const ssize_t put = ::pwrite(descriptor_, rest.data(), rest.size(), static_cast<off_t>(at));
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return failed("written");
    at += static_cast<std::uint64_t>(put);
    rest.remove_prefix(static_cast<std::size_t>(put));
  }
  pending_.clear();
  return {};
}

Result<void> Spool::keep(const std::string& id, bool header_only) {
  if (auto flushed = flush(); !flushed) return flushed;
  kept_.insert_or_assign(id, Stretch{.begin = begin_, .octets = end_ - begin_, .header_only = header_only});
  begin_ = end_;
  return {};
}

void Spool::drop() noexcept {
  end_ = begin_;
  pending_.clear();
}

bool Spool::has(const std::string& id, bool header_only) const {
  const auto found = kept_.find(id);
  return found != kept_.end() && (header_only || !found->second.header_only);
}

std::unique_ptr<sync::ContentSource> Spool::open(const std::string& id) const {
  const Stretch& stretch = kept_.at(id);
  return std::make_unique<SpooledSource>(descriptor_, stretch.begin, stretch.octets);
}

void Spool::clear() noexcept {
  kept_.clear();
  begin_ = end_ = 0;
  pending_.clear();
  // An error leaves the old octets, which nobody refers to.
  if (descriptor_ >= 0 && ::ftruncate(descriptor_, 0) != 0) errno = 0;
}

}  // namespace syncline::pop3
