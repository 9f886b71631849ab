# Sidekiq: jobs, bulks, delays and failures, with a real process.
# frozen_string_literal: true

require_relative 'sidekiq_jobs'
require 'sidekiq/api'

JOBS = 300

def wait_for(what)
  600.times { yield ? (return) : sleep(0.1) }
  raise "#{what}: not within 60 s"
end

def total
  Sidekiq.redis { |r| r.get('total') }.to_i
end

STEPS = {
  'jobs' => lambda {
    (1..JOBS).each { |n| Add.perform_async(n) }
    wait_for('jobs') { total == JOBS * (JOBS + 1) / 2 }
    raise 'some are left' unless Sidekiq::Queue.new.size.zero?
  },
  'bulk' => lambda {
    before = total
    Sidekiq::Client.push_bulk('class' => Add, 'args' => (1..JOBS).map { |n| [n] })
    wait_for('a bulk') { total == before + JOBS * (JOBS + 1) / 2 }
  },
  'scheduled' => lambda {
    before = total
    Add.perform_in(1, 1000)
    raise 'not scheduled' unless Sidekiq::ScheduledSet.new.size == 1

    wait_for('a scheduled job') { total == before + 1000 }
  },
  'failures' => lambda {
    Failing.perform_async
    wait_for('a dead job') { Sidekiq::DeadSet.new.size == 1 }
    raise 'no word' unless Sidekiq::DeadSet.new.first.item['error_message'] == 'as it should'
  },
  'figures' => lambda {
    wait_for('figures') { Sidekiq::Stats.new.processed >= 2 * JOBS }
    raise 'no process' unless Sidekiq::ProcessSet.new.size == 1
  }
}.freeze

$stdout.sync = true
puts "version sidekiq #{Sidekiq::VERSION}"
program = ['sidekiq', '-r', File.join(__dir__, 'sidekiq_jobs.rb'), '-c', '5', '-t', '5']
worker = spawn(*program, out: File::NULL, err: File::NULL)
failed = STEPS.count do |name, step|
  step.call
  puts "ok #{name}"
  false
rescue StandardError => error
  puts "fail #{name}: #{error.message}".tr("\n", ' ')
  true
end
Process.kill('TERM', worker)
Process.wait(worker)
exit(failed.zero?)
