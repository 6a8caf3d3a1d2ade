import { useEffect, useRef } from 'react';
import { Paper, Text, useComputedColorScheme } from '@mantine/core';
import 'uplot/dist/uPlot.min.css';
import UPlot from 'uplot';

interface Properties {
  title: string;
  /** Seconds since 1970. */
  times: number[];
  values: number[];
}

const HEIGHT = 160;
const COLORS = {
  light: { line: '#364fc7', fill: '#364fc722', text: '#495057', grid: '#e9ecef' },
  dark: { line: '#91a7ff', fill: '#91a7ff22', text: '#b8b8b8', grid: '#3b3b3b' },
} as const;

/** A line over time. Screen readers get its newest value and its maximum. */
export function Chart({ title, times, values }: Properties) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot>(undefined);
  const scheme = useComputedColorScheme('light');

  useEffect(() => {
    const parent = box.current;
    if (!parent) return;
    const chart = new UPlot(optionsOf(parent.clientWidth, COLORS[scheme]), [[], []], parent);
    plot.current = chart;
    const observer = new ResizeObserver(() => chart.setSize({ width: parent.clientWidth, height: HEIGHT }));
    observer.observe(parent);
    return () => {
      observer.disconnect();
      chart.destroy();
      plot.current = undefined;
    };
  }, [scheme]);

  useEffect(() => {
    plot.current?.setData([times, values]);
  }, [times, values, scheme]);

  const [newest, highest] = [values.at(-1) ?? 0, Math.max(0, ...values)].map(format);
  return (
    <Paper withBorder p="sm" className="section">
      <Text size="sm" fw={600}>
        {title}
      </Text>
      <Text size="sm" c="dimmed">
        {values.length === 0 ? 'The first step is not complete yet.' : `now ${newest}, at most ${highest}`}
      </Text>
      <div
        ref={box}
        className="chart"
        role="img"
        aria-label={`${title}: now ${newest}, at most ${highest}`}
      />
    </Paper>
  );
}

const format = (value: number) => value.toLocaleString('en', { maximumFractionDigits: 1 });

type Colors = (typeof COLORS)[keyof typeof COLORS];

function optionsOf(width: number, { line, fill, text, grid }: Colors): UPlot.Options {
  const axis = { stroke: text, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1 } };
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    scales: { y: { range: (_, _min, max) => [0, Math.max(1, max * 1.1)] } },
    axes: [
      {
        ...axis,
        size: 32,
        // Pixels between two ticks, so that times with seconds do not touch.
        space: 80,
        // Hours and minutes, and seconds where several ticks are in one minute.
        values: (_self, ticks, _axis, _space, step) =>
          ticks.map((tick) => new Date(tick * 1_000).toTimeString().slice(0, step < 60 ? 8 : 5)),
      },
      { ...axis, size: 56 },
    ],
    series: [{}, { stroke: line, fill, width: 1.5, points: { show: false } }],
  };
}
