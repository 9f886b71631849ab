# Jobs for a Sidekiq process: sidekiq -r ./sidekiq_jobs.rb
# frozen_string_literal: true

require 'sidekiq'

PLACE = { url: "redis://127.0.0.1:#{ENV.fetch('REDIS_PORT')}/1" }.freeze
Sidekiq.configure_server do |config|
  config.redis = PLACE
  config.average_scheduled_poll_interval = 1 if config.respond_to?(:average_scheduled_poll_interval=)
  config.options[:poll_interval_average] = 1 if config.respond_to?(:options)
end
Sidekiq.configure_client { |config| config.redis = PLACE }

# Keeps the sum of what it is given.
class Add
  include Sidekiq::Worker

  def perform(number)
    Sidekiq.redis { |r| r.incrby('total', number) }
  end
end

# Never succeeds, and is not tried again.
class Failing
  include Sidekiq::Worker
  sidekiq_options retry: 0

  def perform
    raise 'as it should'
  end
end
